-- Where custodians keep their halves themselves, and how it stands with that.
CREATE TABLE webhooks (
    custodian_id  TEXT PRIMARY KEY REFERENCES custodians (id),
    url           TEXT NOT NULL,
    sealed_secret BLOB NOT NULL,
    registered_at BIGINT NOT NULL,
    succeeded_at  BIGINT,
    failed_at     BIGINT,
    failure       TEXT
);

-- A half is sealed here, or it was posted to its custodian: then the hash tells it when it comes
-- back.
CREATE TABLE new_backup_pairs (
    id           TEXT PRIMARY KEY,
    client_id    TEXT NOT NULL,
    backup_id    TEXT NOT NULL,
    curve        TEXT NOT NULL,
    public_key   BLOB NOT NULL,
    -- How far it has come by the word of its app, which nobody signs.
    stage        TEXT NOT NULL DEFAULT 'STORED_CUSTODIAN_BACKUP_SHARE',
    sealed_share BLOB,
    share_sha256 BLOB,
    UNIQUE (client_id, backup_id, curve),
    CHECK ((sealed_share IS NULL) <> (share_sha256 IS NULL)),
    FOREIGN KEY (client_id, backup_id) REFERENCES backup_sets (client_id, id) ON DELETE CASCADE
);
INSERT INTO new_backup_pairs (id, client_id, backup_id, curve, public_key, stage, sealed_share)
    SELECT id, client_id, backup_id, curve, public_key, stage, sealed_share FROM backup_pairs;
DROP TABLE backup_pairs;
ALTER TABLE new_backup_pairs RENAME TO backup_pairs;

-- Every pair whose half may be with its custodian, noted before it is posted. Those that are no
-- backup pairs (any more) are dead.
CREATE TABLE posted_pairs (
    pair_id   TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id),
    method    TEXT NOT NULL,
    posted_at BIGINT NOT NULL
);
CREATE INDEX posted_pairs_of_client ON posted_pairs (client_id);
