//! Addresses of a wallet, from its public key.

use bech32::{Fe32, Hrp, segwit};
use k256::elliptic_curve::sec1::ToSec1Point;
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};
use sha3::Keccak256;

use backup_core::Curve;

use crate::by_curve::OnCurve;
use crate::public_key::PublicKey;
use crate::secp256k1;

/// A chain namespace of CAIP-2, for which a wallet has one address.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Namespace {
    /// EVM chains: `0x` and 20 bytes, with the checksum of EIP-55.
    Eip155,
    /// Solana: the public key in base58.
    Solana,
    /// Bitcoin's main network: pay to witness public key hash (BIP 173).
    Bip122Mainnet,
    /// Bitcoin's test networks: the same.
    Bip122Testnet,
    /// Stellar: an account id (SEP 23).
    Stellar,
    /// Tron: the EVM address in base58check.
    Tron,
}

impl Namespace {
    /// The curve that wallets of this namespace are on.
    #[must_use]
    pub const fn curve(self) -> Curve {
        match self {
            Self::Eip155 | Self::Bip122Mainnet | Self::Bip122Testnet | Self::Tron => {
                Curve::Secp256k1
            }
            Self::Solana | Self::Stellar => Curve::Ed25519,
        }
    }
}

impl PublicKey {
    /// The address in this namespace, if the key is on its curve.
    #[must_use]
    pub fn address(&self, namespace: Namespace) -> Option<String> {
        if self.curve() != namespace.curve() {
            return None;
        }
        match namespace {
            Namespace::Eip155 => evm_address(self).map(|address| eip55(&address)),
            Namespace::Tron => evm_address(self).map(|address| tron(&address)),
            Namespace::Bip122Mainnet => p2wpkh(self, segwit::VERSION_0, bech32::hrp::BC),
            Namespace::Bip122Testnet => p2wpkh(self, segwit::VERSION_0, bech32::hrp::TB),
            Namespace::Solana => Some(bs58::encode(self.as_bytes()).into_string()),
            Namespace::Stellar => stellar(self),
        }
    }
}

/// The last 20 bytes of the Keccak-256 hash of both coordinates.
fn evm_address(key: &PublicKey) -> Option<[u8; 20]> {
    let point = secp256k1::point(key.as_bytes())?.to_sec1_point(false);
    let hash = Keccak256::digest(point.as_bytes().get(1..)?);
    hash.last_chunk().copied()
}

/// Lower-case hex, of which a letter is raised where the hash of the text has a high bit.
fn eip55(address: &[u8; 20]) -> String {
    let text = base16ct::lower::encode_string(address);
    let hash = Keccak256::digest(&text);
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let raise = |(letter, nibble): (char, u8)| {
        if nibble >= 8 { letter.to_ascii_uppercase() } else { letter }
    };
    "0x".chars().chain(text.chars().zip(nibbles).map(raise)).collect()
}

fn tron(address: &[u8; 20]) -> String {
    bs58::encode(address).with_check_version(0x41).into_string()
}

fn p2wpkh(key: &PublicKey, version: Fe32, network: Hrp) -> Option<String> {
    let program = Ripemd160::digest(Sha256::digest(key.as_bytes()));
    segwit::encode(network, version, &program).ok()
}

fn stellar(key: &PublicKey) -> Option<String> {
    let account = stellar_strkey::ed25519::PublicKey(key.as_bytes().try_into().ok()?);
    Some(account.to_string().as_str().to_owned())
}
