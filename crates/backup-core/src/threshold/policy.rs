//! What a threshold stores: who the members are, their slots, and one wrap per sufficient subset.

use std::collections::BTreeSet;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    EncryptionContext, EncryptionKey, Enrollment, Error, ErrorKind, MethodId, MethodParams, Result,
    Threshold, WrappingKey,
    binding::Facts,
    codec::{Reader, Writer},
    key_wrap::KeyWrap,
};

const VERSION: u8 = 1;
const POLICY_LABEL: &str = "portal-backup/1 threshold policy";
const MEMBER_LABEL: &str = "portal-backup/1 threshold member";
const SUBSET_LABEL: &str = "portal-backup/1 threshold subset";
const MAX_LABEL_LEN: usize = 64;

/// A decoded policy.
pub(super) struct Policy {
    pub(super) required: usize,
    pub(super) members: Vec<PolicyMember>,
    wraps: Vec<KeyWrap>,
    hash: [u8; 32],
}

pub(super) struct PolicyMember {
    pub(super) label: String,
    pub(super) method: MethodId,
    pub(super) params: MethodParams,
    /// The member's piece, wrapped under the member's key.
    slot: KeyWrap,
}

/// A member's piece, with the member's index.
pub(super) type Piece = (usize, EncryptionKey);

/// Makes a fresh key, pieces for the members' wrapping keys, and a wrap of the key per subset.
pub(super) fn enroll<'a>(
    context: &EncryptionContext,
    required: usize,
    members: impl Iterator<Item = (&'a str, MethodId, &'a Enrollment)> + Clone,
) -> Result<Enrollment> {
    let hash = hash(
        required,
        members.clone().map(|(label, method, made)| (label, method, made.params.as_bytes())),
    );
    let mut pieces: Vec<Piece> = Vec::new();
    let mut stored = Vec::new();
    for (index, (label, method, made)) in members.enumerate() {
        let piece = EncryptionKey::generate()?;
        let facts = member_facts(context, &hash, index);
        let slot = KeyWrap::seal(made.wrapping_key.expose(), &facts, piece.expose())?;
        stored.push(StoredMember {
            label: label.to_owned(),
            method: method.as_str().to_owned(),
            params: Base64UrlUnpadded::encode_string(made.params.as_bytes()),
            slot: encode_wrap(&slot),
        });
        pieces.push((index, piece));
    }
    let wrapping_key = WrappingKey::generate()?;
    let mut wraps = Vec::new();
    for subset in subsets(pieces.len(), required) {
        let key = subset_key(subset.iter().map(|&index| &pieces[index]));
        let facts = subset_facts(context, &hash, &subset);
        wraps.push(encode_wrap(&KeyWrap::seal(&key, &facts, wrapping_key.expose())?));
    }
    let params = StoredPolicy { v: VERSION, required, members: stored, wraps };
    Ok(Enrollment { wrapping_key, params: MethodParams::encode(&params)? })
}

impl Policy {
    pub(super) fn decode(params: &MethodParams) -> Result<Self> {
        let stored: StoredPolicy = params.decode()?;
        if stored.v != VERSION {
            return Err(malformed("the policy has an unknown version"));
        }
        check_shape(stored.required, stored.members.iter().map(|member| member.label.as_str()))
            .map_err(malformed)?;
        let members: Vec<_> =
            stored.members.into_iter().map(PolicyMember::decode).collect::<Result<_>>()?;
        let wraps: Vec<_> =
            stored.wraps.iter().map(|wrap| decode_wrap(wrap)).collect::<Result<_>>()?;
        if wraps.len() != subsets(members.len(), stored.required).len() {
            return Err(malformed("the policy has not one wrap per subset"));
        }
        let facts = members
            .iter()
            .map(|member| (&*member.label, member.method.clone(), member.params.as_bytes()));
        let hash = hash(stored.required, facts);
        Ok(Self { required: stored.required, members, wraps, hash })
    }

    /// Opens a member's slot: a wrong secret is known here, before any other member is asked.
    pub(super) fn open_piece(
        &self,
        context: &EncryptionContext,
        index: usize,
        key: &WrappingKey,
    ) -> Result<EncryptionKey> {
        let facts = member_facts(context, &self.hash, index);
        let slot = &self.members[index].slot;
        EncryptionKey::try_init_with(|piece| slot.open(key.expose(), &facts, piece))
    }

    /// Puts `required` pieces together, given in the order of their members.
    pub(super) fn combine(
        &self,
        context: &EncryptionContext,
        pieces: &[Piece],
    ) -> Result<WrappingKey> {
        let subset: Vec<usize> = pieces.iter().map(|(index, _)| *index).collect();
        let position = subsets(self.members.len(), self.required)
            .iter()
            .position(|candidate| *candidate == subset)
            .expect("there is a wrap for every subset of the required size");
        let facts = subset_facts(context, &self.hash, &subset);
        let key = subset_key(pieces.iter());
        WrappingKey::try_init_with(|secret| self.wraps[position].open(&key, &facts, secret))
    }
}

impl PolicyMember {
    fn decode(stored: StoredMember) -> Result<Self> {
        let params = decode_base64(&stored.params)?;
        Ok(Self {
            label: stored.label,
            method: MethodId::new(stored.method).map_err(|error| {
                malformed("a member's method id is malformed").with_source(error)
            })?,
            params: MethodParams::from_bytes(params)?,
            slot: decode_wrap(&stored.slot)?,
        })
    }
}

/// The rules for the shape of a policy, the same for making and for reading one.
pub(super) fn check_shape<'a>(
    required: usize,
    labels: impl ExactSizeIterator<Item = &'a str> + Clone,
) -> Result<(), &'static str> {
    let count = labels.len();
    if !(1..=Threshold::MAX_MEMBERS).contains(&count) || !(1..=count).contains(&required) {
        return Err("a threshold has 1 to 8 members and requires 1 to all of them");
    }
    if !labels.clone().all(|label| (1..=MAX_LABEL_LEN).contains(&label.len())) {
        return Err("a member's label has 1 to 64 bytes");
    }
    if labels.collect::<BTreeSet<_>>().len() != count {
        return Err("two members have the same label");
    }
    Ok(())
}

/// The subsets of `0..count` with `size` elements, in lexicographic order.
fn subsets(count: usize, size: usize) -> Vec<Vec<usize>> {
    fn extend(prefix: &mut Vec<usize>, count: usize, size: usize, found: &mut Vec<Vec<usize>>) {
        if prefix.len() == size {
            found.push(prefix.clone());
            return;
        }
        for next in prefix.last().map_or(0, |last| last + 1)..count {
            prefix.push(next);
            extend(prefix, count, size, found);
            prefix.pop();
        }
    }
    let mut found = Vec::new();
    extend(&mut Vec::with_capacity(size), count, size, &mut found);
    found
}

/// The pieces of a subset, one after another: the input of HKDF.
fn subset_key<'a>(pieces: impl ExactSizeIterator<Item = &'a Piece>) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(pieces.len() * 32));
    for (_, piece) in pieces {
        key.extend_from_slice(piece.expose());
    }
    key
}

fn hash<'a>(
    required: usize,
    members: impl Iterator<Item = (&'a str, MethodId, &'a [u8])> + Clone,
) -> [u8; 32] {
    let count = members.clone().count();
    let facts = Facts::new(POLICY_LABEL).fact([small(required)]).fact([small(count)]);
    let facts = members.fold(facts, |facts, (label, method, params)| {
        facts.fact(label).fact(method.as_str()).fact(params)
    });
    Sha256::digest(facts.finish()).into()
}

fn member_facts(context: &EncryptionContext, policy: &[u8; 32], index: usize) -> Vec<u8> {
    Facts::new(MEMBER_LABEL).context(context).fact(policy).fact([small(index)]).finish()
}

fn subset_facts(context: &EncryptionContext, policy: &[u8; 32], subset: &[usize]) -> Vec<u8> {
    let indices: Vec<u8> = subset.iter().copied().map(small).collect();
    Facts::new(SUBSET_LABEL).context(context).fact(policy).fact(indices).finish()
}

/// A count or index of members as a byte.
fn small(number: usize) -> u8 {
    u8::try_from(number).expect("a threshold has at most eight members")
}

/// The stored form, JSON.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredPolicy {
    v: u8,
    required: usize,
    members: Vec<StoredMember>,
    wraps: Vec<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredMember {
    label: String,
    method: String,
    params: String,
    slot: String,
}

fn encode_wrap(wrap: &KeyWrap) -> String {
    let mut writer = Writer::with_capacity(KeyWrap::LEN);
    wrap.write(&mut writer);
    Base64UrlUnpadded::encode_string(&writer.finish())
}

fn decode_wrap(text: &str) -> Result<KeyWrap> {
    let bytes = decode_base64(text)?;
    let mut reader = Reader::new(&bytes, "a wrap is cut short");
    let wrap = KeyWrap::read(&mut reader).map_err(|_| malformed("a wrap is cut short"))?;
    reader.finish().map_err(|_| malformed("a wrap is too long"))?;
    Ok(wrap)
}

fn decode_base64(text: &str) -> Result<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| malformed("the policy is malformed"))
}

fn malformed(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidParams, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_come_in_lexicographic_order() {
        assert_eq!(subsets(3, 2), [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(subsets(2, 2), [[0, 1]]);
        assert_eq!(subsets(8, 4).len(), 70);
    }
}
