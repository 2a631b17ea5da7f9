//! What the device keeps of a client, in the clear and in memory.

use std::{collections::BTreeMap, fmt};

use backup_core::{
    MethodId, Point, Result, Sealer, SharePairId,
    secrecy::{ExposeSecret, SecretBox, SecretSlice},
};
use zeroize::Zeroizing;

use super::codec::{Reader, Writer, curve_code, damaged, invalid_input, read_curve};

/// The device's half of one signing pair.
pub struct SigningPair {
    /// The id that both halves carry.
    pub pair: SharePairId,
    /// The wallet's public key.
    pub wallet: Point,
    /// The half, as the protocols encode it.
    pub share: SecretSlice<u8>,
}

/// The signing pairs of all curves, and the device key that was registered with them.
pub struct SigningSet {
    device_key: SecretBox<[u8; 32]>,
    pairs: Vec<SigningPair>,
}

/// Everything that the device keeps of one client. It is secret.
#[derive(Default)]
pub struct DeviceState {
    generation: u64,
    live: Option<SigningSet>,
    pending: Option<SigningSet>,
    sealers: BTreeMap<MethodId, SecretSlice<u8>>,
    heads: BTreeMap<MethodId, [u8; 32]>,
    records: BTreeMap<String, SecretSlice<u8>>,
}

impl SigningSet {
    /// A set of one pair per curve.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](backup_core::ErrorKind::InvalidInput) for no pair, two of one curve, or an
    /// empty share.
    pub fn new(device_key: SecretBox<[u8; 32]>, mut pairs: Vec<SigningPair>) -> Result<Self> {
        pairs.sort_by_key(|pair| pair.wallet.curve());
        let repeated = pairs.windows(2).any(|two| two[0].wallet.curve() == two[1].wallet.curve());
        let empty = pairs.iter().any(|pair| pair.share.expose_secret().is_empty());
        if pairs.is_empty() || repeated || empty {
            return Err(invalid_input(
                "a signing set holds one share per curve, none of them empty",
            ));
        }
        Ok(Self { device_key, pairs })
    }

    /// The Ed25519 key by which the server knows this device.
    #[must_use]
    pub fn device_key(&self) -> &SecretBox<[u8; 32]> {
        &self.device_key
    }

    /// The pairs, by rising curve.
    #[must_use]
    pub fn pairs(&self) -> &[SigningPair] {
        &self.pairs
    }

    fn write(&self, writer: &mut Writer) {
        writer.fixed(self.device_key.expose_secret()).count(self.pairs.len());
        for pair in &self.pairs {
            writer
                .byte(curve_code(pair.wallet.curve()))
                .fixed(pair.wallet.as_bytes())
                .bytes(pair.pair.as_str().as_bytes())
                .bytes(pair.share.expose_secret());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let device_key = SecretBox::new(Box::new(*reader.array()?));
        let count = reader.count()?;
        let pairs: Vec<_> = (0..count).map(|_| SigningPair::read(reader)).collect::<Result<_>>()?;
        let rising = |two: &[SigningPair]| two[0].wallet.curve() < two[1].wallet.curve();
        if !pairs.windows(2).all(rising) {
            return Err(damaged());
        }
        Self::new(device_key, pairs).map_err(|_| damaged())
    }
}

impl SigningPair {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let curve = read_curve(reader)?;
        let wallet = Point::new(curve, reader.fixed(curve.point_len())?)?;
        let pair = reader.text(SharePairId::new)?;
        Ok(Self { pair, wallet, share: secret(reader.bytes()?) })
    }
}

impl DeviceState {
    /// How often the state was written; the store counts.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The set that signs.
    #[must_use]
    pub fn live(&self) -> Option<&SigningSet> {
        self.live.as_ref()
    }

    /// The set that the server has not confirmed.
    #[must_use]
    pub fn pending(&self) -> Option<&SigningSet> {
        self.pending.as_ref()
    }

    /// Keeps a new set beside the live one, until it is known which of them signs.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](backup_core::ErrorKind::InvalidInput) while another one is pending: it may
    /// be the only one that signs.
    pub fn keep_pending(&mut self, set: SigningSet) -> Result<()> {
        if self.pending.is_some() {
            return Err(invalid_input("finish or drop the pending signing set first"));
        }
        self.pending = Some(set);
        Ok(())
    }

    /// Keeps a new set in place of one that was pending, if any.
    ///
    /// Call it only when the one that was pending never signs again: the server has made this one
    /// to replace whatever there is.
    pub fn replace_pending(&mut self, set: SigningSet) {
        self.pending = Some(set);
    }

    /// Makes `set` the live one: the server confirmed it. What was live or pending is gone.
    pub fn go_live(&mut self, set: SigningSet) {
        (self.live, self.pending) = (Some(set), None);
    }

    /// Keeps another form of a share of the live set: after its pair froze.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](backup_core::ErrorKind::InvalidInput) if the live set has no such pair, or
    /// the share is empty.
    pub fn replace_live_share(&mut self, pair: &SharePairId, share: SecretSlice<u8>) -> Result<()> {
        let pairs = self.live.iter_mut().flat_map(|set| &mut set.pairs);
        let found = pairs.into_iter().find(|found| found.pair == *pair);
        match found {
            Some(found) if !share.expose_secret().is_empty() => found.share = share,
            _ => return Err(invalid_input("the live signing set has no such pair")),
        }
        Ok(())
    }

    /// Makes the pending set the live one: the server confirmed it. The earlier one is gone.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](backup_core::ErrorKind::InvalidInput) if none is pending.
    pub fn confirm_pending(&mut self) -> Result<()> {
        let set = self.pending.take().ok_or_else(|| invalid_input("no signing set is pending"))?;
        self.live = Some(set);
        Ok(())
    }

    /// Drops the pending set: the server does not sign with it, and never will.
    pub fn drop_pending(&mut self) {
        self.pending = None;
    }

    /// Keeps what makes further backups with a method, in place of what did.
    pub fn set_sealer(&mut self, sealer: &Sealer) {
        self.sealers.insert(sealer.method().clone(), sealer.encode());
    }

    /// The methods that this device makes further backups with.
    pub fn sealing_methods(&self) -> impl Iterator<Item = &MethodId> {
        self.sealers.keys()
    }

    /// What makes further backups with `method`.
    ///
    /// # Errors
    ///
    /// Those of [`Sealer::decode`].
    pub fn sealer(&self, method: &MethodId) -> Result<Option<Sealer>> {
        let record = self.sealers.get(method);
        record.map(|record| Sealer::decode(record.expose_secret())).transpose()
    }

    /// Forgets what makes further backups with `method`: it was revoked.
    pub fn remove_sealer(&mut self, method: &MethodId) {
        self.sealers.remove(method);
    }

    /// Keeps the hash of a method's newest completed envelope.
    pub fn set_head(&mut self, method: MethodId, hash: [u8; 32]) {
        self.heads.insert(method, hash);
    }

    /// The hash of a method's newest completed envelope.
    #[must_use]
    pub fn head(&self, method: &MethodId) -> Option<&[u8; 32]> {
        self.heads.get(method)
    }

    /// The methods of which the newest completed envelope is known, with its hash.
    pub fn heads(&self) -> impl Iterator<Item = (&MethodId, &[u8; 32])> {
        self.heads.iter()
    }

    /// Forgets the hash of a method's newest completed envelope.
    pub fn remove_head(&mut self, method: &MethodId) {
        self.heads.remove(method);
    }

    /// Forgets them all: another device may have made newer ones.
    pub fn remove_heads(&mut self) {
        self.heads.clear();
    }

    /// Keeps a secret under a name of the caller's, in place of what had that name.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](backup_core::ErrorKind::InvalidInput) if the name is not 1 to 64 bytes of
    /// visible ASCII.
    pub fn set_record(&mut self, name: &str, value: SecretSlice<u8>) -> Result<()> {
        let name = record_name(name.to_owned())?;
        self.records.insert(name, value);
        Ok(())
    }

    /// The secret of this name.
    #[must_use]
    pub fn record(&self, name: &str) -> Option<&SecretSlice<u8>> {
        self.records.get(name)
    }

    /// Forgets the secret of this name.
    pub fn remove_record(&mut self, name: &str) {
        self.records.remove(name);
    }

    pub(super) fn next(&self) -> Result<Self> {
        let mut next = Self::decode(&self.encode())?;
        next.generation += 1;
        Ok(next)
    }

    /// The plaintext of the state file. Its format is in `docs/format.md`.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::default();
        writer.fixed(&self.generation.to_be_bytes());
        for set in [&self.live, &self.pending] {
            writer.byte(set.is_some().into());
            if let Some(set) = set {
                set.write(&mut writer);
            }
        }
        writer.count(self.sealers.len());
        for (method, record) in &self.sealers {
            writer.bytes(method.as_str().as_bytes()).bytes(record.expose_secret());
        }
        writer.count(self.heads.len());
        for (method, hash) in &self.heads {
            writer.bytes(method.as_str().as_bytes()).fixed(hash);
        }
        writer.count(self.records.len());
        for (name, value) in &self.records {
            writer.bytes(name.as_bytes()).bytes(value.expose_secret());
        }
        writer.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let reader = &mut Reader::new(bytes);
        let generation = u64::from_be_bytes(*reader.array()?);
        let live = read_set(reader)?;
        let pending = read_set(reader)?;
        let method = |reader: &mut Reader<'_>| reader.text(MethodId::new);
        let sealers = read_map(reader, method, |reader| Ok(secret(reader.bytes()?)))?;
        let heads = read_map(reader, method, |reader| reader.array().copied())?;
        let name = |reader: &mut Reader<'_>| reader.text(record_name);
        let records = read_map(reader, name, |reader| Ok(secret(reader.bytes()?)))?;
        std::mem::replace(reader, Reader::new(&[])).finish()?;
        Ok(Self { generation, live, pending, sealers, heads, records })
    }
}

fn read_set(reader: &mut Reader<'_>) -> Result<Option<SigningSet>> {
    if reader.flag()? { SigningSet::read(reader).map(Some) } else { Ok(None) }
}

/// A list by strictly rising key: there is one encoding of a state.
fn read_map<K: Ord, V>(
    reader: &mut Reader<'_>,
    key: impl Fn(&mut Reader<'_>) -> Result<K>,
    value: impl Fn(&mut Reader<'_>) -> Result<V>,
) -> Result<BTreeMap<K, V>> {
    let mut map = BTreeMap::new();
    for _ in 0..reader.count()? {
        let key = key(reader)?;
        if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(damaged());
        }
        map.insert(key, value(reader)?);
    }
    Ok(map)
}

fn record_name(name: String) -> Result<String> {
    let visible = name.bytes().all(|byte| byte.is_ascii_graphic());
    if !(1..=64).contains(&name.len()) || !visible {
        return Err(invalid_input("a record's name is 1 to 64 bytes of visible ASCII"));
    }
    Ok(name)
}

fn secret(bytes: &[u8]) -> SecretSlice<u8> {
    SecretSlice::from(Box::<[u8]>::from(bytes))
}

impl fmt::Debug for SigningPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pair = f.debug_struct("SigningPair");
        pair.field("pair", &self.pair).field("wallet", &self.wallet).finish_non_exhaustive()
    }
}

impl fmt::Debug for SigningSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningSet").field("pairs", &self.pairs).finish_non_exhaustive()
    }
}

impl fmt::Debug for DeviceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceState")
            .field("generation", &self.generation)
            .field("live", &self.live)
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}
