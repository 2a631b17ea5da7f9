-- Whether the service, as it was last started, seals under this key. While it does, the key is not
-- forgotten, whatever it has sealed so far.
ALTER TABLE key_checks ADD COLUMN seals BOOLEAN NOT NULL DEFAULT TRUE;
