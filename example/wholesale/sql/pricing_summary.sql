-- What was billed, returned and shipped.
SELECT
    return_flag,
    line_status,
    sum(quantity) AS quantity,
    sum(extended_price) AS base_price,
    sum(extended_price * (1 - discount)) AS discounted_price,
    sum(extended_price * (1 - discount) * (1 + tax)) AS charge,
    avg(quantity) AS average_quantity,
    avg(extended_price) AS average_price,
    avg(discount) AS average_discount,
    count(*) AS lines
FROM wholesale_lineitem
WHERE ship_date <= DATE '1998-09-02'
GROUP BY return_flag, line_status
