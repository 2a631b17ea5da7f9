//! What a sealed share is bound to.

use std::fmt::Write as _;

use backup_core::{ClientId, CustodianId, KeyContext, Point, SharePairId};

/// Whose share it is, of which wallet and pair, and which half: the reader supplies all of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShareContext {
    /// The business whose user has the wallet.
    pub custodian: CustodianId,
    /// The user, at the custodian.
    pub client: ClientId,
    /// The wallet's public key.
    pub wallet: Point,
    /// The pair that the share belongs to.
    pub pair: SharePairId,
    /// What the share is for.
    pub role: ShareRole,
}

/// What a share that a server keeps is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ShareRole {
    /// The custodian's half of a backup pair.
    CustodianBackup,
    /// The server's half of a signing pair.
    ServerSigning,
}

impl ShareRole {
    /// The name in the context.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CustodianBackup => "custodian-backup",
            Self::ServerSigning => "server-signing",
        }
    }
}

impl ShareContext {
    /// The facts as a provider is given them. A KMS may log them: they are public.
    #[must_use]
    pub fn key_context(&self) -> KeyContext {
        KeyContext::new()
            .with("client", self.client.as_str())
            .with("custodian", self.custodian.as_str())
            .with("pair", self.pair.as_str())
            .with("role", self.role.as_str())
            .with("wallet", wallet_text(self.wallet))
    }
}

impl From<&ShareContext> for KeyContext {
    fn from(context: &ShareContext) -> Self {
        context.key_context()
    }
}

/// Curve and compressed point, as in `ED25519:d75a98…`.
fn wallet_text(wallet: Point) -> String {
    let mut text = format!("{}:", wallet.curve());
    for byte in wallet.as_bytes() {
        write!(text, "{byte:02x}").expect("a string takes all that is written");
    }
    text
}

#[cfg(test)]
mod tests {
    use backup_core::Curve;

    use super::*;

    #[test]
    fn the_facts_that_a_provider_sees_are_these() {
        let context = ShareContext {
            custodian: CustodianId::new("acme").unwrap(),
            client: ClientId::new("alice").unwrap(),
            wallet: Point::new(Curve::Ed25519, &[0x0a; 32]).unwrap(),
            pair: SharePairId::new("pair-1").unwrap(),
            role: ShareRole::CustodianBackup,
        };
        let facts = context.key_context();
        let facts: Vec<_> = facts.iter().collect();
        let wallet = format!("ED25519:{}", "0a".repeat(32));
        let expected = [
            ("client", "alice"),
            ("custodian", "acme"),
            ("pair", "pair-1"),
            ("role", "custodian-backup"),
            ("wallet", wallet.as_str()),
        ];
        assert_eq!(facts, expected);
    }
}
