-- Orders still to be paid, with a literal that looks like a placeholder: 'about 50%s'.
SELECT id, customer_id, amount
FROM shop_order
WHERE status = 'open' AND note IS DISTINCT FROM 'about 50%s'
