//! Several methods of which some must agree: `k` of `n`, itself a method, so that it nests.

mod policy;

use std::sync::Arc;

use async_trait::async_trait;

use self::policy::{Policy, PolicyMember};
use crate::{
    BackupMethod, EncryptionKey, Enrollment, Error, ErrorKind, Held, MethodId, MethodParams,
    Operation, Purpose, Result, WrappingKey, error::invalid_input, slot::unlock_with,
};

/// A method that needs `required` of its members.
///
/// Each member has a slot of its own for its piece, so a wrong secret is known at once. The
/// wrapping key is wrapped once per subset of `required` members, under all of that subset's pieces
/// together: plain encryption instead of secret sharing, at the price of a limit on members.
///
/// Members are recognized by label and method id. On unlock a member that fails, is cancelled or is
/// not configured is passed over for as long as enough others are left.
#[derive(Debug)]
pub struct Threshold {
    required: usize,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    label: String,
    method: Arc<dyn BackupMethod>,
}

impl Threshold {
    /// The most members: 8, which gives at most 70 subsets.
    pub const MAX_MEMBERS: usize = 8;

    /// A method that needs `required` of `members`, each with the label by which the user knows it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] unless there are 1 to [`MAX_MEMBERS`](Self::MAX_MEMBERS)
    /// members, `required` is between 1 and their number, and the labels are different texts of 1
    /// to 64 bytes.
    pub fn new<L: Into<String>>(
        required: usize,
        members: impl IntoIterator<Item = (L, Arc<dyn BackupMethod>)>,
    ) -> Result<Self> {
        let members: Vec<_> = members
            .into_iter()
            .map(|(label, method)| Member { label: label.into(), method })
            .collect();
        policy::check_shape(required, members.iter().map(|member| member.label.as_str()))
            .map_err(invalid_input)?;
        Ok(Self { required, members })
    }

    /// Enrolls every member; if one fails, revokes those before it.
    async fn enroll_members(&self, op: &Operation<'_>) -> Result<Vec<Enrollment>> {
        let mut enrollments = Vec::with_capacity(self.members.len());
        for Member { method, .. } in &self.members {
            match method.enroll(op).await {
                Ok(enrollment) => enrollments.push(enrollment),
                Err(error) => {
                    self.roll_back(op, &enrollments).await;
                    return Err(error.in_method(&method.id()));
                }
            }
        }
        Ok(enrollments)
    }

    /// Best effort: what stays was announced to the journal.
    async fn roll_back(&self, op: &Operation<'_>, enrollments: &[Enrollment]) {
        let op = op.for_purpose(Purpose::Revoke);
        for (member, enrollment) in self.members.iter().zip(enrollments) {
            let _ = member.method.revoke(&op, &enrollment.params).await;
        }
    }

    fn member_of(&self, stored: &PolicyMember) -> Result<&dyn BackupMethod> {
        self.members
            .iter()
            .find(|member| member.label == stored.label && member.method.id() == stored.method)
            .map(|member| &*member.method)
            .ok_or_else(|| {
                let message = format!("no method is set up for `{}`", stored.label);
                Error::new(ErrorKind::NotFound, message).in_method(&stored.method)
            })
    }

    async fn unlock_member(
        &self,
        op: &Operation<'_>,
        policy: &Policy,
        index: usize,
    ) -> Result<EncryptionKey> {
        let stored = &policy.members[index];
        let method = self.member_of(stored)?;
        unlock_with(method, op, &stored.params, |key| policy.open_piece(op.context(), index, key))
            .await
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl BackupMethod for Threshold {
    fn id(&self) -> MethodId {
        MethodId::THRESHOLD
    }

    /// An enrolment and a revocation want all members, an unlock wants enough of them.
    async fn check(&self, op: &Operation<'_>) -> Result<()> {
        let wanted = match op.purpose() {
            Purpose::Unlock => self.required,
            Purpose::Enroll | Purpose::Revoke => self.members.len(),
        };
        let mut spare = self.members.len() - wanted;
        for Member { method, .. } in &self.members {
            match method.check(op).await {
                Err(error) if spare == 0 => return Err(error.in_method(&method.id())),
                Err(_) => spare -= 1,
                Ok(()) => {}
            }
        }
        Ok(())
    }

    async fn enroll(&self, op: &Operation<'_>) -> Result<Enrollment> {
        let enrollments = self.enroll_members(op).await?;
        let members =
            self.members.iter().zip(&enrollments).map(|(member, enrollment)| {
                (member.label.as_str(), member.method.id(), enrollment)
            });
        match policy::enroll(op.context(), self.required, members) {
            Ok(enrollment) => Ok(enrollment),
            Err(error) => {
                self.roll_back(op, &enrollments).await;
                Err(error)
            }
        }
    }

    async fn unlock(&self, op: &Operation<'_>, params: &MethodParams) -> Result<WrappingKey> {
        let policy = Policy::decode(params)?;
        let mut spare = policy.members.len() - policy.required;
        let mut pieces = Vec::with_capacity(policy.required);
        for index in 0..policy.members.len() {
            match self.unlock_member(op, &policy, index).await {
                Ok(piece) => pieces.push((index, piece)),
                Err(error) if spare == 0 => return Err(error),
                Err(_) => spare -= 1,
            }
            if pieces.len() == policy.required {
                break;
            }
        }
        policy.combine(op.context(), &pieces)
    }

    /// Revokes every member, however many fail on the way.
    async fn revoke(&self, op: &Operation<'_>, params: &MethodParams) -> Result<()> {
        let policy = Policy::decode(params)?;
        let mut result = Ok(());
        for stored in &policy.members {
            let revoked = match self.member_of(stored) {
                Ok(method) => method.revoke(op, &stored.params).await,
                Err(error) => Err(Error::new(ErrorKind::Unsupported, error.to_string())),
            };
            result = result.and(revoked.map_err(|error| error.in_method(&stored.method)));
        }
        result
    }

    /// What the members hold; each is revoked by its own method.
    async fn held(&self, op: &Operation<'_>) -> Result<Vec<Held>> {
        let mut held = Vec::new();
        for Member { method, .. } in &self.members {
            held.extend(method.held(op).await?);
        }
        Ok(held)
    }
}
