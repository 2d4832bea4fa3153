-- The tables that the views of this gallery read.

CREATE SCHEMA shop;

CREATE TABLE shop.customer (
    id     integer PRIMARY KEY,
    name   text NOT NULL,
    region text
);

CREATE TABLE shop.purchase (
    id          integer PRIMARY KEY,
    customer_id integer REFERENCES shop.customer ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    status      text NOT NULL,
    amount      numeric(12,2)
);
