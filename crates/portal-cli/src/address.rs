//! Addresses of a wallet, as they are shown and as they are typed.

use portal_client::{Addresses, Namespace};
use serde_json::Value;
use sha3::{Digest, Keccak256};

/// The chains, by the names that are printed.
const CHAINS: [(&str, Namespace); 6] = [
    ("ethereum", Namespace::Eip155),
    ("bitcoin", Namespace::Bip122Mainnet),
    ("bitcoin-testnet", Namespace::Bip122Testnet),
    ("tron", Namespace::Tron),
    ("solana", Namespace::Solana),
    ("stellar", Namespace::Stellar),
];

pub(crate) fn as_text(addresses: &Addresses) -> String {
    known(addresses).map(|(chain, address)| format!("{chain:<16} {address}\n")).collect()
}

pub(crate) fn as_json(addresses: &Addresses) -> Value {
    let addresses = known(addresses).map(|(chain, address)| (chain.to_owned(), address.into()));
    Value::Object(addresses.collect())
}

fn known(addresses: &Addresses) -> impl Iterator<Item = (&'static str, String)> {
    CHAINS.into_iter().filter_map(|(chain, namespace)| Some((chain, addresses.address(namespace)?)))
}

/// Which chain's form an address has. Whether it is one, the comparison shows.
pub(crate) fn parse(text: &str) -> Result<(Namespace, String), &'static str> {
    let namespace = match text.len() {
        42 if text.starts_with("0x") => Namespace::Eip155,
        42 if text.starts_with("bc1") => Namespace::Bip122Mainnet,
        42 if text.starts_with("tb1") => Namespace::Bip122Testnet,
        34 if text.starts_with('T') => Namespace::Tron,
        56 if text.starts_with('G') => Namespace::Stellar,
        32..=44 if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Namespace::Solana,
        _ => return Err("not the form of an address that a wallet here has"),
    };
    let address = if namespace == Namespace::Eip155 { with_checksum(text) } else { text.into() };
    Ok((namespace, address))
}

/// As wallets show an address (<https://eips.ethereum.org/EIPS/eip-55>), if it is written in lower
/// case, as many programs do: a letter is raised where the hash of the text has a high bit.
fn with_checksum(address: &str) -> String {
    let digits = &address[2..];
    if digits.contains(|letter: char| letter.is_ascii_uppercase()) {
        return address.to_owned();
    }
    let hash = Keccak256::digest(digits);
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let raise = |(letter, nibble): (char, u8)| {
        if nibble >= 8 { letter.to_ascii_uppercase() } else { letter }
    };
    "0x".chars().chain(digits.chars().zip(nibbles).map(raise)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_that_is_shown_is_taken_for_its_chain() {
        for (address, expected) in [
            ("0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F", Namespace::Eip155),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", Namespace::Bip122Mainnet),
            ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", Namespace::Bip122Testnet),
            ("TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL", Namespace::Tron),
            ("57Q2xD5wWnFyGuWJdMKmpFnfrUZmPXeA3uxsyVNrkyxX", Namespace::Solana),
            ("GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ", Namespace::Stellar),
        ] {
            assert_eq!(parse(address), Ok((expected, address.to_owned())));
        }
    }

    #[test]
    fn an_ethereum_address_may_be_written_without_its_checksum() {
        // From the EIP.
        let shown = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert_eq!(parse(&shown.to_lowercase()).unwrap().1, shown);
        assert_eq!(parse(shown).unwrap().1, shown);
    }

    #[test]
    fn what_has_the_form_of_no_address_is_refused() {
        for text in ["", "0x12", "hello", "9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F 12"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
