-- Views that are being installed online: each is made under a name in our schema, `built_name`, and is published under
-- its own when it is whole. `token` is the installer's; one whose token has been replaced has lost the work to another.

CREATE TABLE IF NOT EXISTS django_ivm.building (
    view_schema text NOT NULL,
    view_name   text NOT NULL,
    built_name  text NOT NULL,
    label       text NOT NULL,
    spec_hash   text NOT NULL,
    phase       text NOT NULL,
    token       text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    reached_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (view_schema, view_name)
);
