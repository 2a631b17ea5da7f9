-- What the passkey enclave knows of a client: public facts, as JSON, and how often they were changed.
-- What is of one client changes with this, in one transaction.
CREATE TABLE enclave_clients (
    client_id TEXT PRIMARY KEY REFERENCES clients (id),
    version   BIGINT NOT NULL,
    record    BLOB NOT NULL
);

-- Every registered passkey, so that none is registered twice.
CREATE TABLE enclave_passkeys (
    passkey   BLOB PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES enclave_clients (client_id)
);

-- Keys, each sealed once for every passkey that may have it.
CREATE TABLE enclave_keys (
    -- Client, key and holder, with slashes between them.
    id         TEXT PRIMARY KEY,
    client_id  TEXT NOT NULL REFERENCES enclave_clients (client_id),
    key_id     TEXT NOT NULL,
    passkey    BLOB NOT NULL REFERENCES enclave_passkeys (passkey) ON DELETE CASCADE,
    -- The fingerprint of the passkey, which the key is bound to.
    holder     TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    UNIQUE (client_id, key_id, passkey)
);
CREATE INDEX enclave_keys_of_passkeys ON enclave_keys (passkey);
