-- Times are seconds since 1970. Blobs named `sealed_…` are encrypted; no secret is in the clear.

-- A check value for every key that anything is wrapped under.
CREATE TABLE key_checks (
    key_id TEXT PRIMARY KEY,
    value  BLOB NOT NULL
);

CREATE TABLE custodians (
    id                 TEXT PRIMARY KEY,
    -- Whether its ciphertexts are kept here. Otherwise its apps keep them.
    backup_with_portal BOOLEAN NOT NULL DEFAULT TRUE,
    created_at         BIGINT NOT NULL
);

CREATE TABLE clients (
    id                    TEXT PRIMARY KEY,
    custodian_id          TEXT NOT NULL REFERENCES custodians (id),
    is_account_abstracted BOOLEAN NOT NULL,
    -- How many sets were made and commits were made; what numbers them.
    counter               BIGINT NOT NULL DEFAULT 0,
    created_at            BIGINT NOT NULL
);

-- The API keys of custodians and of their clients: of these, those that name a client. Whoever has
-- one may have several.
CREATE TABLE api_keys (
    -- Of the hash.
    id           TEXT PRIMARY KEY,
    key_hash     BLOB NOT NULL UNIQUE,
    custodian_id TEXT NOT NULL REFERENCES custodians (id),
    client_id    TEXT REFERENCES clients (id),
    created_at   BIGINT NOT NULL,
    -- When it is over, as was said when it was made, or when it was revoked. None: it never is.
    ends_at      BIGINT
);
CREATE INDEX api_keys_of_owners ON api_keys (custodian_id, client_id);

-- A session token does what its client's API key does, for a while.
CREATE TABLE session_tokens (
    token_hash BLOB PRIMARY KEY,
    client_id  TEXT NOT NULL REFERENCES clients (id),
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX session_tokens_of_client ON session_tokens (client_id);

-- All curves of a set share its fate. At most one set of a client is live.
CREATE TABLE signing_sets (
    device_key     BLOB PRIMARY KEY,
    client_id      TEXT NOT NULL REFERENCES clients (id),
    number         BIGINT NOT NULL,
    is_live        BOOLEAN NOT NULL,
    replaces       BLOB,
    recovered_from TEXT,
    created_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX one_live_signing_set ON signing_sets (client_id) WHERE is_live;
CREATE INDEX signing_sets_of_client ON signing_sets (client_id);

CREATE TABLE signing_pairs (
    id           TEXT PRIMARY KEY,
    device_key   BLOB NOT NULL REFERENCES signing_sets (device_key) ON DELETE CASCADE,
    curve        TEXT NOT NULL,
    public_key   BLOB NOT NULL,
    frozen       BOOLEAN NOT NULL,
    sealed_share BLOB NOT NULL,
    UNIQUE (device_key, curve)
);

-- The id is the device's choice, and unique within its client.
CREATE TABLE backup_sets (
    client_id       TEXT NOT NULL REFERENCES clients (id),
    id              TEXT NOT NULL,
    number          BIGINT NOT NULL,
    method          TEXT NOT NULL,
    -- By what it is completed: COMMIT or NOTICE.
    completion      TEXT NOT NULL,
    device_key      BLOB NOT NULL,
    created_at      BIGINT NOT NULL,
    envelope        TEXT,
    envelope_sha256 BLOB,
    enrollment      BLOB,
    sequence        BIGINT,
    completed_at    BIGINT,
    proved_since    BIGINT,
    PRIMARY KEY (client_id, id)
);
CREATE UNIQUE INDEX one_pending_set_per_method
    ON backup_sets (client_id, method) WHERE completed_at IS NULL;

CREATE TABLE backup_pairs (
    id           TEXT PRIMARY KEY,
    client_id    TEXT NOT NULL,
    backup_id    TEXT NOT NULL,
    curve        TEXT NOT NULL,
    public_key   BLOB NOT NULL,
    -- How far it has come by the word of its app, which nobody signs.
    stage        TEXT NOT NULL DEFAULT 'STORED_CUSTODIAN_BACKUP_SHARE',
    sealed_share BLOB NOT NULL,
    UNIQUE (client_id, backup_id, curve),
    FOREIGN KEY (client_id, backup_id) REFERENCES backup_sets (client_id, id) ON DELETE CASCADE
);

-- A row outlives its session as a mark, so that no session id is used twice.
CREATE TABLE sessions (
    id                  BLOB PRIMARY KEY,
    client_id           TEXT NOT NULL REFERENCES clients (id),
    signer              BLOB NOT NULL,
    -- The signing set that it starts from. While that is there, so is the mark.
    uses                BLOB REFERENCES signing_sets (device_key) ON DELETE SET NULL,
    replaces            BLOB,
    generation          BLOB NOT NULL,
    operation           TEXT NOT NULL,
    -- The names of its pairs: JSON of this release.
    subject             TEXT NOT NULL,
    first_post_sha256   BLOB NOT NULL,
    sealed_first_reply  BLOB,
    first_reply_sha256  BLOB NOT NULL,
    sealed_state        BLOB,
    second_post_sha256  BLOB,
    sealed_second_reply BLOB,
    is_dead             BOOLEAN NOT NULL,
    created_at          BIGINT NOT NULL
);
CREATE INDEX sessions_to_end ON sessions (created_at) WHERE NOT is_dead;
CREATE INDEX session_marks ON sessions (created_at) WHERE uses IS NULL;
CREATE INDEX sessions_of_signing_sets ON sessions (uses);

-- Until when a wallet may be ejected, as its custodian has allowed.
CREATE TABLE eject_windows (
    client_id TEXT NOT NULL REFERENCES clients (id),
    wallet_id TEXT NOT NULL,
    until     BIGINT NOT NULL,
    PRIMARY KEY (client_id, wallet_id)
);

-- Every custodian's half that ever left the service, and to whom: CLIENT or CUSTODIAN. They stay.
CREATE TABLE releases (
    client_id   TEXT NOT NULL REFERENCES clients (id),
    wallet_id   TEXT NOT NULL,
    pair_id     TEXT NOT NULL,
    audience    TEXT NOT NULL,
    released_at BIGINT NOT NULL
);
CREATE INDEX releases_of_client ON releases (client_id);
