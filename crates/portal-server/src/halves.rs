//! The custodian's halves of backup pairs: kept here under the operator's keys, or posted to the
//! custodian that keeps them itself. Whoever needs one asks here, and need not know which.

use std::{collections::HashSet, slice};

use backup_core::{BackupId, ClientId, EncryptionContext, MethodId, SharePairId};
use futures_util::future::try_join_all;
use portal_api::{ErrorId, PairName, PerCurve, compat::EjectableShare};
use portal_mpc::{BackupShare, ByCurve, OnCurve, Server};
use zeroize::Zeroizing;

use crate::{
    audit::Access,
    error::{ApiError, ApiResult},
    lifecycle::{BackupSet, SetState},
    service::Service,
    store::{
        BackupRow, CompletedPair, CustodianHalf, PairRow, PostedPair, Snapshot, StoreError,
        WebhookRow, lifecycle_sets,
    },
    webhook::{Deadline, Endpoint, Failure, Fetched, Half, hash},
};

/// The halves of one client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Halves<'a> {
    pub(crate) service: &'a Service,
    pub(crate) client: &'a EncryptionContext,
}

/// What is to be posted.
struct ToPost<'a> {
    earlier: &'a [CompletedPair],
    method: &'a MethodId,
    halves: Vec<(PairRow, Half)>,
}

/// The completed sets whose halves did not come back from their custodian.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    sets: HashSet<BackupId>,
    /// Whether they are missing because the custodian cannot be asked.
    pub(crate) is_silence: bool,
}

impl<'a> Halves<'a> {
    pub(crate) fn of(service: &'a Service, client: &'a EncryptionContext) -> Self {
        Self { service, client }
    }

    /// Keeps the halves of new pairs, so that each can be had again before this returns.
    pub(crate) async fn keep(
        &self,
        method: &MethodId,
        shares: &ByCurve<BackupShare<Server>>,
        names: &PerCurve<PairName>,
    ) -> ApiResult<ByCurve<CustodianHalf>> {
        let mut view = self.service.store.read().await?;
        if view.posts_halves(&self.client.custodian).await? {
            return self.post(method, shares, names, view).await;
        }
        drop(view);
        let pairs: Vec<_> = names.iter().map(|(_, PairName(name))| name.clone()).collect();
        self.note(Access::Made, &pairs).await?;
        let mut kept = Vec::new();
        for (curve, PairName(name)) in names.iter() {
            let share = shares.get(curve).ok_or_else(not_as_named)?;
            let sealed = self.service.custody.seal_backup(self.client, name, share).await?;
            kept.push(sealed.into());
        }
        by_curve(kept)
    }

    /// The completed sets of whose halves one does not come back now, all of them if the custodian
    /// cannot be asked. While they are missing they are no reason to let another set go.
    pub(crate) async fn missing(&self) -> Result<Missing, StoreError> {
        let mut view = self.service.store.read().await?;
        let completed = view.completed_at_custodian(&self.client.client).await?;
        drop(view);
        if completed.is_empty() {
            return Ok(Missing::default());
        }
        let lost = |back: &Fetched| completed.iter().filter(|pair| lacks(back, pair)).collect();
        let (lost, is_silence): (Vec<&CompletedPair>, _) = match self.fetch().await {
            Ok(back) => (lost(&back), false),
            Err(_) => (completed.iter().collect(), true),
        };
        let sets = lost.into_iter().map(|pair| pair.backup.clone()).collect();
        Ok(Missing { sets, is_silence })
    }

    /// Opens halves. Those that are with their custodian are fetched afresh; to be checked, those
    /// that are here have to open by every one of their wraps.
    pub(crate) async fn open(
        &self,
        halves: &ByCurve<CustodianHalf>,
        access: Access,
    ) -> ApiResult<ByCurve<BackupShare<Server>>> {
        let pairs: Vec<_> = halves.iter().map(|(_, half)| half.pair().id.clone()).collect();
        self.note(access, &pairs).await?;
        let is_posted = |half: &CustodianHalf| half.sealed().is_none();
        let back = match halves.iter().any(|(_, half)| is_posted(half)) {
            true => Some(self.fetch().await?),
            false => None,
        };
        let mut opened = Vec::new();
        for (_, half) in halves.iter() {
            let share = match (half, &back) {
                (CustodianHalf::Sealed(sealed), _) if access == Access::Checked => {
                    self.service.custody.verify_backup(self.client, sealed).await?
                }
                (CustodianHalf::Sealed(sealed), _) => {
                    self.service.custody.open_backup(self.client, sealed).await?
                }
                (CustodianHalf::Posted(posted), Some(back)) => self.found(posted, back).await?,
                (CustodianHalf::Posted(_), None) => return Err(not_as_named()),
            };
            opened.push(share);
        }
        by_curve(opened)
    }

    /// The half of this pair among those that came back.
    async fn found(&self, posted: &PostedPair, back: &Fetched) -> ApiResult<BackupShare<Server>> {
        let Some(half) = back.of_hash(&posted.sha256) else {
            return Err(self.failed(Failure::Lost).await);
        };
        let share: EjectableShare = serde_json::from_str(half).map_err(|_| not_as_named())?;
        let bytes = share.bytes().ok_or_else(not_as_named)?;
        Ok(self.service.custody.read_backup(&posted.pair, &bytes)?)
    }

    async fn post(
        &self,
        method: &MethodId,
        shares: &ByCurve<BackupShare<Server>>,
        names: &PerCurve<PairName>,
        mut view: Snapshot,
    ) -> ApiResult<ByCurve<CustodianHalf>> {
        let earlier = view.completed_at_custodian(&self.client.client).await?;
        drop(view);
        let mut halves = Vec::new();
        for (curve, PairName(name)) in names.iter() {
            let share = shares.get(curve).ok_or_else(not_as_named)?;
            let pair = PairRow { id: name.clone(), public_key: share.public_key() };
            halves.push((pair, written(name, share)));
        }
        let to_post = ToPost { earlier: &earlier, method, halves };
        self.exchange(&to_post).await?;
        let posted = to_post
            .halves
            .into_iter()
            .map(|(pair, half)| CustodianHalf::Posted(PostedPair { pair, sha256: hash(&half) }));
        by_curve(posted)
    }

    /// Nothing is posted to a custodian that has lost what it was given before, and nothing counts
    /// as posted that does not come back.
    async fn exchange(&self, to_post: &ToPost<'_>) -> ApiResult<()> {
        let webhook = self.webhook().await?;
        let endpoint = self.asked(&webhook).await?;
        self.note(Access::Fetched, &[]).await?;
        let (client, deadline) = (&self.client.client, Deadline::begin());
        if !to_post.earlier.is_empty() {
            let back = deadline.keep(endpoint.fetch(client)).await;
            let back = back.and_then(|back| to_post.expect_earlier(&back));
            self.noted(&webhook, back).await?;
        }
        self.note_posted(to_post).await?;
        let kept = deadline.keep(to_post.exchange(&endpoint, client)).await;
        self.noted(&webhook, kept).await
    }

    /// Before anything leaves: whatever happens then, the custodian is told what it may erase.
    async fn note_posted(&self, ToPost { method, halves, .. }: &ToPost<'_>) -> ApiResult<()> {
        let mut write = self.service.store.write().await?;
        for (pair, _) in halves {
            let now = self.service.now();
            write.note_posted(&self.client.client, method, &pair.id, now).await?;
            let pairs = slice::from_ref(&pair.id);
            write.note_access(now, Access::Made, self.client, pairs).await?;
        }
        Ok(write.commit().await?)
    }

    /// Before anything is done with halves: what cannot be noted is not done.
    async fn note(&self, access: Access, pairs: &[SharePairId]) -> ApiResult<()> {
        let mut write = self.service.store.write().await?;
        write.note_access(self.service.now(), access, self.client, pairs).await?;
        Ok(write.commit().await?)
    }

    async fn fetch(&self) -> ApiResult<Fetched> {
        let webhook = self.webhook().await?;
        let endpoint = self.asked(&webhook).await?;
        self.note(Access::Fetched, &[]).await?;
        let back = Deadline::begin().keep(endpoint.fetch(&self.client.client)).await;
        self.noted(&webhook, back).await
    }

    async fn webhook(&self) -> ApiResult<WebhookRow> {
        let webhook = self.service.store.read().await?.webhook(&self.client.custodian).await?;
        webhook.ok_or_else(|| ApiError::internal("a half is at a webhook that is not registered"))
    }

    async fn asked(&self, webhook: &WebhookRow) -> ApiResult<Endpoint<'a>> {
        let Self { service, client } = self;
        let secret = &webhook.sealed_secret;
        let secret = service.custody.open_webhook_secret(&client.custodian, secret).await?;
        let endpoint = Endpoint::new(&service.webhooks, &webhook.url, secret);
        self.noted_failure(webhook, endpoint).await
    }

    async fn noted_failure<T>(
        &self,
        webhook: &WebhookRow,
        outcome: Result<T, Failure>,
    ) -> ApiResult<T> {
        match outcome {
            Ok(value) => Ok(value),
            failed => self.noted(webhook, failed).await,
        }
    }

    async fn failed(&self, failure: Failure) -> ApiError {
        let noted = match self.webhook().await {
            Ok(webhook) => self.noted::<()>(&webhook, Err(failure)).await,
            Err(error) => Err(error),
        };
        noted.err().unwrap_or_else(not_as_named)
    }

    /// Counts an outcome, and notes it for the custodian and the operator.
    async fn noted<T>(&self, webhook: &WebhookRow, outcome: Result<T, Failure>) -> ApiResult<T> {
        let (custodian, now) = (&self.client.custodian, self.service.now());
        let failure = outcome.as_ref().err();
        self.service.webhooks.meters.asked(failure.map_or("success", Failure::label));
        let text = failure.map(ToString::to_string);
        if webhook.health.is_news(text.as_deref(), now) {
            let mut write = self.service.store.write().await?;
            write.note_webhook(custodian, text.as_deref(), now).await?;
            write.commit().await?;
        }
        outcome.map_err(|failure| {
            tracing::warn!(%custodian, %failure, "a webhook failed");
            webhook_failed(&failure)
        })
    }
}

impl ToPost<'_> {
    async fn exchange(&self, endpoint: &Endpoint<'_>, client: &ClientId) -> Result<(), Failure> {
        let halves = self.halves.iter();
        let posts = halves.map(|(pair, half)| endpoint.keep(client, self.method, &pair.id, half));
        try_join_all(posts).await?;
        let back = endpoint.fetch(client).await?;
        let is_kept = self.halves.iter().all(|(_, half)| back.has(half));
        if is_kept { self.expect_earlier(&back) } else { Err(Failure::NotKept) }
    }

    fn expect_earlier(&self, back: &Fetched) -> Result<(), Failure> {
        let is_lost = self.earlier.iter().any(|pair| lacks(back, pair));
        if is_lost { Err(Failure::Lost) } else { Ok(()) }
    }
}

impl Missing {
    /// The sets as the rules of their lives may see them now: one whose half is missing has not
    /// been seen to work.
    pub(crate) fn hidden_in(&self, rows: &[BackupRow]) -> Vec<BackupSet> {
        let mut sets = lifecycle_sets(rows);
        for set in sets.iter_mut().filter(|set| self.sets.contains(&set.id)) {
            if let SetState::Completed { proved_since, .. } = &mut set.state {
                *proved_since = None;
            }
        }
        sets
    }
}

/// What is told of a webhook that failed.
pub(crate) fn webhook_failed(failure: &Failure) -> ApiError {
    let message = format!("the custodian's webhook failed: {failure}");
    ApiError::new(ErrorId::WebhookFailed, message)
}

fn lacks(back: &Fetched, pair: &CompletedPair) -> bool {
    back.of_hash(&pair.sha256).is_none()
}

fn by_curve<T: OnCurve>(values: impl IntoIterator<Item = T>) -> ApiResult<ByCurve<T>> {
    ByCurve::collect(values).map_err(|_| not_as_named())
}

fn written(pair: &SharePairId, share: &BackupShare<Server>) -> Half {
    use base64ct::{Base64UrlUnpadded, Encoding};

    let bytes = share.to_bytes();
    let share = Zeroizing::new(Base64UrlUnpadded::encode_string(&bytes));
    let share = EjectableShare { backup_share_pair_id: pair.clone(), share };
    serde_json::to_string(&share).map(Zeroizing::new).expect("it is plain text")
}

fn not_as_named() -> ApiError {
    ApiError::internal("the halves are not those that were named")
}
