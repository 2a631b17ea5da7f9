-- The API key that a session token came by: with it, the token is over. None: an earlier release
-- made it, and it is over within a week.
ALTER TABLE session_tokens ADD COLUMN key_id TEXT REFERENCES api_keys (id);
