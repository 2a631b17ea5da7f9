-- What people call a custodian. None: its id.
ALTER TABLE custodians ADD COLUMN name TEXT;

-- Pages of a custodian's clients.
CREATE INDEX clients_of_custodian ON clients (custodian_id, created_at, id);
