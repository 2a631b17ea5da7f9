//! The commit of a backup set: everything that can be checked is, then one transaction decides.

use axum::extract::State;
use backup_core::{BackupId, EncryptionContext, Envelope};
use portal_api::{BackupSetView, Commit, ErrorId, Proof, hold_statement};
use portal_mpc::{BackupShare, ByCurve, HoldProof, PairId, Server};

use super::{client::backup_view, path::BackupPath};
use crate::{
    audit::Access,
    auth::AuthenticatedClient,
    error::{ApiError, ApiResult},
    halves::Halves,
    json::Json,
    lifecycle::{self, CommitRequest, Committed, Refusal},
    service::{Service, SharedService},
    signed::Signed,
    store::{BackupRow, PairRow, Write, lifecycle_sets},
};

pub(crate) async fn commit(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    BackupPath(backup): BackupPath,
    signed: Signed,
) -> ApiResult<Json<BackupSetView>> {
    let request: Commit = signed.json()?;
    let asked = Asked { service: &service, client: &client, backup: &backup, request: &request };
    let checked = asked.check(&signed).await?;
    let mut write = service.store.write().await?;
    signed.verify_live(&client, &mut write).await?;
    asked.decide(&mut write, &checked).await?;
    let view = asked.view(&mut write).await?;
    write.commit().await?;
    Ok(Json(view))
}

/// What is asked, and of whom.
struct Asked<'a> {
    service: &'a Service,
    client: &'a EncryptionContext,
    backup: &'a BackupId,
    request: &'a Commit,
}

/// The set whose envelope, proofs and custodian's halves were found right.
struct Checked {
    envelope_sha256: [u8; 32],
    pairs: ByCurve<PairRow>,
}

impl Asked<'_> {
    /// Opens the custodian's halves, for which a key service may be asked: so before the turn to
    /// write is taken.
    async fn check(&self, signed: &Signed) -> ApiResult<Checked> {
        let mut read = self.service.store.read().await?;
        signed.verify_live(self.client, &mut read).await?;
        let halves = read.custodian_halves(&self.client.client, self.backup).await?;
        let halves = halves.ok_or(Refusal::NoSuchSet)?;
        let envelope = read.envelope(&self.client.client, self.backup).await?;
        drop(read);
        let envelope = self.expected(&envelope.ok_or(Refusal::NoEnvelope)?)?;
        let proofs = ByCurve::from(self.request.proofs.clone());
        if proofs.curves().ok() != halves.curves().ok() {
            return Err(ApiError::bad_request("a commit has one proof for each curve of the set"));
        }
        let statement = hold_statement(self.client, self.backup, &envelope);
        let shares = Halves::of(self.service, self.client).open(&halves, Access::Checked).await?;
        let pairs = halves.map(|half| half.pair().clone());
        for (curve, share) in shares.iter() {
            let proof = proofs.get(curve).expect("the curves are the same");
            let pair = pairs.get(curve).expect("the curves are the same");
            check_half(share, pair, &statement, *proof)?;
        }
        Ok(Checked { envelope_sha256: self.request.envelope_sha256, pairs })
    }

    /// The stored envelope, if it is the one that the device has read back.
    fn expected(&self, text: &str) -> ApiResult<Envelope> {
        use sha2::{Digest, Sha256};

        if Sha256::digest(text).as_slice() != self.request.envelope_sha256 {
            return Err(ApiError::state_invalid("the set has another envelope"));
        }
        Ok(Envelope::parse(text)?)
    }

    async fn decide(&self, write: &mut Write, checked: &Checked) -> ApiResult<()> {
        let rows = write.backups(&self.client.client).await?;
        let row = self.row(&rows)?;
        if row.envelope_sha256 != Some(checked.envelope_sha256) || row.pairs != checked.pairs {
            return Err(ApiError::state_invalid("the set was made anew meanwhile: look again"));
        }
        let request = CommitRequest {
            id: self.backup.clone(),
            replaces: self.request.replaces.clone(),
            opened_after_enrollment: self.request.opened_after_enrollment,
        };
        if let Committed::Now { proved } = lifecycle::commit(&lifecycle_sets(&rows), &request)? {
            let now = self.service.now();
            write.complete_backup(&self.client.client, self.backup, proved, now).await?;
        }
        Ok(())
    }

    async fn view(&self, write: &mut Write) -> ApiResult<BackupSetView> {
        let rows = write.backups(&self.client.client).await?;
        let row = self.row(&rows)?.clone();
        Ok(backup_view(row, &lifecycle_sets(&rows), self.service.grace_seconds))
    }

    fn row<'a>(&self, rows: &'a [BackupRow]) -> ApiResult<&'a BackupRow> {
        let row = rows.iter().find(|row| row.set.id == *self.backup);
        row.ok_or_else(|| Refusal::NoSuchSet.into())
    }
}

fn check_half(
    half: &BackupShare<Server>,
    pair: &PairRow,
    statement: &[u8],
    proof: Proof,
) -> ApiResult<()> {
    let pair = PairId::from_name(pair.id.as_str());
    let verified = half.commitments().verify(pair, statement, &HoldProof::from(proof));
    verified.map(drop).map_err(|_| {
        ApiError::new(
            ErrorId::DkgRefreshMismatch,
            "the device's half does not belong to the custodian's: make another backup",
        )
    })
}
