-- Every access to a custodian's half, in order. Each hash covers its record and the hash before it, so
-- that a record which was changed, left out or put in between shows.
CREATE TABLE audit (
    number       BIGINT PRIMARY KEY,
    at           BIGINT NOT NULL,
    access       TEXT NOT NULL,
    custodian_id TEXT NOT NULL,
    client_id    TEXT NOT NULL,
    -- Empty: all pairs of the client.
    pair_id      TEXT NOT NULL,
    hash         BLOB NOT NULL
);
CREATE TRIGGER audit_records_stay BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'an audit record is never removed'); END;
CREATE TRIGGER audit_records_do_not_change BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'an audit record is never changed'); END;
