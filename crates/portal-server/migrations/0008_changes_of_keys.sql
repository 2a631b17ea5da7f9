-- How often it was noted whether the service seals under this key: by that, whoever has looked
-- through all that is sealed knows that nothing has come under it since.
ALTER TABLE key_checks ADD COLUMN changes BIGINT NOT NULL DEFAULT 0;
