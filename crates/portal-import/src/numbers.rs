//! The fields of a share, as Portal names them, and the numbers in them.

use serde::Deserialize;

use crate::{
    ImportError, Side,
    decimal::{Bytes, digits, number},
    error::Result,
    json::{Raw, object, unquoted},
};

/// The numbers of a share, of a curve that is not known yet.
pub(crate) struct Numbers {
    pub(crate) share: Bytes,
    pub(crate) public_key: Coordinates,
    pub(crate) points: Points,
    pub(crate) client_place: [u8; 32],
    pub(crate) server_place: [u8; 32],
}

/// A point, big-endian.
pub(crate) struct Coordinates {
    pub(crate) x: [u8; 32],
    pub(crate) y: [u8; 32],
}

/// Both parties' public points.
pub(crate) struct Points {
    pub(crate) client: Coordinates,
    pub(crate) server: Coordinates,
    /// They stood in a list, which does not say whose is whose.
    pub(crate) unnamed: bool,
}

/// The ids in a share. An empty one is as good as none.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    pub(crate) client: Option<String>,
    pub(crate) backup_pair: Option<String>,
    pub(crate) signing_pair: Option<String>,
}

/// A share as the SDKs write it, a share by an id, or shares by curve: whichever fields are there.
#[derive(Deserialize)]
pub(crate) struct Fields<'a> {
    #[serde(borrow, alias = "SECP256K1")]
    pub(crate) secp256k1: Raw<'a>,
    #[serde(borrow, alias = "ED25519")]
    pub(crate) ed25519: Raw<'a>,

    #[serde(borrow)]
    pub(crate) id: Raw<'a>,
    #[serde(borrow)]
    pub(crate) curve: Raw<'a>,
    #[serde(borrow)]
    pub(crate) share: Raw<'a>,

    #[serde(borrow)]
    pub(crate) pubkey: Raw<'a>,
    #[serde(borrow, rename = "partialPubkey", alias = "partialPublicKey", alias = "partialPubKey")]
    partials: Raw<'a>,
    #[serde(borrow)]
    bks: Raw<'a>,
    #[serde(borrow, rename = "clientId")]
    client_id: Raw<'a>,
    #[serde(borrow, rename = "backupSharePairId")]
    backup_pair: Raw<'a>,
    #[serde(borrow, rename = "signingSharePairId")]
    signing_pair: Raw<'a>,
}

/// Fields of a custodian's share that stand side by side, as in Portal's reference.
#[derive(Deserialize)]
pub(crate) struct FlatFields<'a> {
    #[serde(borrow)]
    pub(crate) x: Raw<'a>,
    #[serde(borrow)]
    y: Raw<'a>,
    #[serde(borrow)]
    share: Raw<'a>,
    #[serde(borrow, rename = "clientBk")]
    client_place: Raw<'a>,
    #[serde(borrow, rename = "serverBk")]
    server_place: Raw<'a>,
    #[serde(borrow, rename = "clientPartialPubKey_x")]
    client_x: Raw<'a>,
    #[serde(borrow, rename = "clientPartialPubKey_y")]
    client_y: Raw<'a>,
    #[serde(borrow, rename = "serverPartialPubKey_x")]
    server_x: Raw<'a>,
    #[serde(borrow, rename = "serverPartialPubKey_y")]
    server_y: Raw<'a>,
    #[serde(borrow, rename = "clientId")]
    client_id: Raw<'a>,
    #[serde(borrow, rename = "backupSharePairId")]
    backup_pair: Raw<'a>,
}

/// What belongs to each party.
#[derive(Deserialize)]
struct BySide<'a> {
    #[serde(borrow)]
    client: Raw<'a>,
    #[serde(borrow)]
    server: Raw<'a>,
}

#[derive(Deserialize)]
struct Point<'a> {
    #[serde(borrow, rename = "X", alias = "x")]
    x: Raw<'a>,
    #[serde(borrow, rename = "Y", alias = "y")]
    y: Raw<'a>,
}

/// A Birkhoff parameter: a place, and which derivative is taken there.
#[derive(Deserialize)]
struct Birkhoff<'a> {
    #[serde(borrow, rename = "X", alias = "x")]
    place: Raw<'a>,
    #[serde(borrow, rename = "Rank", alias = "rank")]
    rank: Raw<'a>,
}

impl Fields<'_> {
    /// Whether this is a share itself, and not something around one.
    pub(crate) fn is_share(&self) -> bool {
        self.pubkey.is_some() || self.bks.is_some()
    }

    pub(crate) fn numbers(&self) -> Result<Numbers> {
        let places: BySide<'_> = fields(self.bks, "bks")?;
        Ok(Numbers {
            share: number(present(self.share, "share")?, "share")?,
            public_key: point(present(self.pubkey, "pubkey")?, "pubkey")?,
            points: points(present(self.partials, "partialPubkey")?)?,
            client_place: place(places.client, Side::Client, "bks.client")?,
            server_place: place(places.server, Side::Server, "bks.server")?,
        })
    }

    pub(crate) fn ids(&self) -> Result<Ids> {
        Ok(Ids {
            client: text(self.client_id, "clientId")?,
            backup_pair: text(self.backup_pair, "backupSharePairId")?,
            signing_pair: text(self.signing_pair, "signingSharePairId")?,
        })
    }
}

impl FlatFields<'_> {
    pub(crate) fn numbers(&self) -> Result<Numbers> {
        Ok(Numbers {
            share: number(present(self.share, "share")?, "share")?,
            public_key: coordinates(self.x, "x", self.y, "y")?,
            points: Points {
                client: coordinates(
                    self.client_x,
                    "clientPartialPubKey_x",
                    self.client_y,
                    "clientPartialPubKey_y",
                )?,
                server: coordinates(
                    self.server_x,
                    "serverPartialPubKey_x",
                    self.server_y,
                    "serverPartialPubKey_y",
                )?,
                unnamed: false,
            },
            client_place: place(self.client_place, Side::Client, "clientBk")?,
            server_place: place(self.server_place, Side::Server, "serverBk")?,
        })
    }

    pub(crate) fn ids(&self) -> Result<Ids> {
        Ok(Ids {
            client: text(self.client_id, "clientId")?,
            backup_pair: text(self.backup_pair, "backupSharePairId")?,
            signing_pair: None,
        })
    }
}

/// A string that is not empty; anything else but null is malformed.
pub(crate) fn text(value: Raw<'_>, field: &'static str) -> Result<Option<String>> {
    let Some(value) = value else { return Ok(None) };
    let text = unquoted(value.get()).ok_or(ImportError::Malformed { field })?;
    Ok(Some(text.to_string()).filter(|text| !text.is_empty()))
}

fn points(json: &str) -> Result<Points> {
    const FIELD: &str = "partialPubkey";
    if let Ok(list) = serde_json::from_str::<[&serde_json::value::RawValue; 2]>(json) {
        let [client, server] = [point(list[0].get(), FIELD)?, point(list[1].get(), FIELD)?];
        return Ok(Points { client, server, unnamed: true });
    }
    let sides: BySide<'_> = object(json).map_err(|_| ImportError::Malformed { field: FIELD })?;
    let (client, server) = ("partialPubkey.client", "partialPubkey.server");
    Ok(Points {
        client: point(present(sides.client, client)?, client)?,
        server: point(present(sides.server, server)?, server)?,
        unnamed: false,
    })
}

fn point(json: &str, field: &'static str) -> Result<Coordinates> {
    let point: Point<'_> = object(json).map_err(|_| ImportError::Malformed { field })?;
    coordinates(point.x, field, point.y, field)
}

fn coordinates(
    x: Raw<'_>,
    x_field: &'static str,
    y: Raw<'_>,
    y_field: &'static str,
) -> Result<Coordinates> {
    let x = number(present(x, x_field)?, x_field)?;
    let y = number(present(y, y_field)?, y_field)?;
    Ok(Coordinates { x: *x, y: *y })
}

/// A number alone has the rank 0, and so has a parameter without one.
fn place(value: Raw<'_>, side: Side, field: &'static str) -> Result<[u8; 32]> {
    let json = present(value, field)?;
    if !json.starts_with('{') {
        return number(json, field).map(|place| *place);
    }
    let birkhoff: Birkhoff<'_> = object(json).map_err(|_| ImportError::Malformed { field })?;
    if let Some(rank) = birkhoff.rank {
        let rank = digits(rank.get()).and_then(|rank| rank.parse().ok());
        match rank.ok_or(ImportError::Malformed { field })? {
            0 => {}
            rank => return Err(ImportError::Rank { side, rank }),
        }
    }
    number(present(birkhoff.place, field)?, field).map(|place| *place)
}

fn fields<'a, T: Deserialize<'a>>(value: Raw<'a>, field: &'static str) -> Result<T> {
    object(present(value, field)?).map_err(|_| ImportError::Malformed { field })
}

fn present<'a>(value: Raw<'a>, field: &'static str) -> Result<&'a str> {
    Ok(value.ok_or(ImportError::Missing { field })?.get())
}
