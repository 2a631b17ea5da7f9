//! What Portal's public API says: the bodies of its routes, as its SDKs send and read them.

mod client;
mod eject;
mod notices;
mod timestamp;

pub use self::{
    client::{
        BackupPairObject, Bitcoin, ClientObject, ClientObjects, ClientsQuery, CustodianObject,
        EnvironmentObject, MOST_CLIENTS, MetadataObject, NamespaceObject, Namespaces, P2wpkh,
        PageMetadata, PairStatus, SigningPairObject, WalletObject,
    },
    eject::{
        EjectEnabled, EjectableShare, EjectableShares, Ejected, EnableEject, PrepareEject,
        PreparedEject, wallet_id,
    },
    notices::{
        BackupPairNotice, BackupStage, CipherText, Dropped, Identify, SigningPairNotice,
        SigningStage, StoreCipherText, StoredNotice, Track,
    },
    timestamp::Timestamp,
};
