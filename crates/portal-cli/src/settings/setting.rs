//! What can be set: one name, for the file, the environment and the command line.

use std::fmt;

/// One thing that can be set.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Setting {
    Data,
    Listen,
    Metrics,
    Grace,
    RestoreWindow,
    LongestEject,
    BackupWithPortal,
    WebhookHttp,
    WebhookPrivateAddresses,
    LostKeys,
    Drain,
    AddressRate,
    KeyRate,
    CeremonyRate,
    Proxies,
    EnclaveRelyingParty,
    EnclaveName,
    EnclaveOrigins,
    EnclaveCors,
    EnclaveListen,
    Log,
    LogFormat,
}

impl Setting {
    /// All of them, in the order in which they are shown.
    pub(crate) const ALL: [Self; 22] = [
        Self::Data,
        Self::Listen,
        Self::Metrics,
        Self::Grace,
        Self::RestoreWindow,
        Self::LongestEject,
        Self::BackupWithPortal,
        Self::WebhookHttp,
        Self::WebhookPrivateAddresses,
        Self::LostKeys,
        Self::Drain,
        Self::AddressRate,
        Self::KeyRate,
        Self::CeremonyRate,
        Self::Proxies,
        Self::EnclaveRelyingParty,
        Self::EnclaveName,
        Self::EnclaveOrigins,
        Self::EnclaveCors,
        Self::EnclaveListen,
        Self::Log,
        Self::LogFormat,
    ];

    /// How the names of our variables begin.
    pub(crate) const PREFIX: &str = "PORTAL_SERVE_";

    /// The name in the file.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Listen => "listen",
            Self::Metrics => "metrics",
            Self::Grace => "grace",
            Self::RestoreWindow => "restore-window",
            Self::LongestEject => "longest-eject",
            Self::BackupWithPortal => "backup-with-portal",
            Self::WebhookHttp => "webhook-http",
            Self::WebhookPrivateAddresses => "webhook-private-addresses",
            Self::LostKeys => "lost-keys",
            Self::Drain => "drain",
            Self::AddressRate => "address-rate",
            Self::KeyRate => "key-rate",
            Self::CeremonyRate => "ceremony-rate",
            Self::Proxies => "proxies",
            Self::EnclaveRelyingParty => "enclave.relying-party",
            Self::EnclaveName => "enclave.name",
            Self::EnclaveOrigins => "enclave.origins",
            Self::EnclaveCors => "enclave.cors",
            Self::EnclaveListen => "enclave.listen",
            Self::Log => "log",
            Self::LogFormat => "log-format",
        }
    }

    /// The name in the environment.
    pub(crate) fn variable(self) -> String {
        match self {
            Self::Log => "PORTAL_LOG".to_owned(),
            _ => format!("{}{}", Self::PREFIX, self.name().replace(['-', '.'], "_").to_uppercase()),
        }
    }

    /// Whether it is one of the enclave's: what an enclave is, is written down, and is no flag.
    pub(crate) fn is_enclaves(self) -> bool {
        self.name().starts_with("enclave.")
    }

    /// Whether it is several, with commas between them.
    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::LostKeys | Self::EnclaveOrigins | Self::EnclaveCors)
    }

    /// The name on the command line.
    pub(crate) fn flag(self) -> String {
        format!("--{}", self.name())
    }

    /// As what it is set if nobody says otherwise.
    pub(crate) const fn default(self) -> Option<&'static str> {
        match self {
            Self::Data
            | Self::BackupWithPortal
            | Self::LostKeys
            | Self::EnclaveRelyingParty
            | Self::EnclaveName
            | Self::EnclaveOrigins
            | Self::EnclaveCors
            | Self::EnclaveListen => None,
            Self::WebhookHttp | Self::WebhookPrivateAddresses => Some("false"),
            Self::Listen => Some("127.0.0.1:8080"),
            Self::Metrics => Some("off"),
            Self::Grace => Some("30d"),
            Self::RestoreWindow => Some("7d"),
            Self::LongestEject => Some("24h"),
            Self::Drain => Some("0s"),
            Self::AddressRate => Some("60000"),
            Self::KeyRate => Some("6000"),
            Self::CeremonyRate => Some("60"),
            Self::Proxies => Some("0"),
            Self::Log => Some("info"),
            Self::LogFormat => Some("text"),
        }
    }

    /// What it may be.
    pub(crate) const fn allowed(self) -> &'static str {
        match self {
            Self::Data => "it is the path of a folder",
            Self::Listen => "it is an address and a port: 127.0.0.1:8080",
            Self::Metrics => "it is an address and a port, 127.0.0.1:9464, or off",
            Self::LongestEject => "it is a number and a unit, five minutes or more: 5m, 24h, 7d",
            Self::RestoreWindow => "it is a number and a unit, more than nothing: 7d, 12h",
            Self::Grace | Self::Drain => "it is a number and a unit: 30d, 12h, 90m, 60s",
            Self::BackupWithPortal | Self::WebhookHttp | Self::WebhookPrivateAddresses => {
                "it is true or false"
            }
            Self::LostKeys => "it is ids of keys, with commas between them",
            Self::AddressRate | Self::KeyRate | Self::CeremonyRate => {
                "it is a number from 1 to 4294967295, or off"
            }
            Self::EnclaveRelyingParty => "it is a domain: example.com",
            Self::EnclaveName => "it is what users know you by",
            Self::EnclaveOrigins => {
                "it is a list of origins: https://wallet.example.com, http://localhost:3000, \
                 android:apk-key-hash:…"
            }
            Self::EnclaveCors => "it is a list of origins: https://app.example.com",
            Self::EnclaveListen => "it is an address and a port, 127.0.0.1:8081, or off",
            Self::Proxies => "it is a number from 0 to 16",
            Self::Log => "it is a level, or targets and levels: info, debug, portal_server=trace",
            Self::LogFormat => "it is text or json",
        }
    }

    /// All names of one kind, for whoever has mistaken one.
    pub(crate) fn list(name: impl Fn(Self) -> String) -> String {
        format!("there are {}", Self::ALL.map(name).join(", "))
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
