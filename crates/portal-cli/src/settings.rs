//! How `portal serve` runs: by a file, the environment and flags, each above the one before.

mod enclave;
mod file;
mod keys;
mod setting;
mod source;

use std::{collections::BTreeMap, env, num::NonZeroU32, path::PathBuf};

use clap::Args;
use portal_server::{Options, service::USUAL_EJECT_SECONDS};
use tracing_subscriber::filter::Targets;

use self::enclave::EnclaveSettings;
pub(crate) use self::{keys::KeySetting, setting::Setting, source::Source};
use crate::{
    duration,
    failure::{Failure, Kind},
};

/// What the command line says of it. What is not said is in the environment, in the file, or as
/// the default has it.
#[derive(Args, Debug, Default)]
pub(crate) struct Flags {
    /// The folder of the service's database and keys; made if it is not there
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Where to listen; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where metrics are read, by whoever reaches it: never a public address [default: off]
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<String>,
    /// How long a backup is kept after newer ones that work have taken its place [default: 30d]
    ///
    /// A number and a unit: 30d, 12h, 90m, 60s. Never shorter than the restore window.
    #[arg(long, value_name = "TIME")]
    grace: Option<String>,
    /// How old a copy of the folder may be that you would still restore [default: 7d]
    ///
    /// As long as that no backup goes that such a copy could need: the grace is as long, or longer.
    #[arg(long, value_name = "TIME")]
    restore_window: Option<String>,
    /// The ids of keys that are lost for good, with commas between them
    ///
    /// The service starts without them, as long as another key works. Then `portal admin custody
    /// rewrap` moves what is sealed to the keys that are left.
    #[arg(long, value_name = "KEYS")]
    lost_keys: Option<String>,
    /// For how long a custodian may let a wallet be ejected at most [default: 24h]
    ///
    /// Five minutes or more, which is how long it is if the custodian does not say.
    #[arg(long, value_name = "TIME")]
    longest_eject: Option<String>,
    /// Whether the service keeps the ciphertexts of backups that apps make by Portal's own routes
    ///
    /// What was said last stays; it does as long as nothing is said. With `false` the apps keep
    /// them, and complete a backup by telling so. Other backups are not concerned.
    #[arg(long, value_name = "BOOL")]
    backup_with_portal: Option<String>,
    /// Whether webhooks of custodians may be asked without TLS [default: false]
    #[arg(long, value_name = "BOOL")]
    webhook_http: Option<String>,
    /// Whether webhooks of custodians may be at addresses that are not public [default: false]
    ///
    /// With `true` a custodian can have the service ask whatever it reaches, with POST.
    #[arg(long, value_name = "BOOL")]
    webhook_private_addresses: Option<String>,
    /// How long requests are still taken when the service is to end [default: 0s]
    ///
    /// Meanwhile it says that it is not ready, so that a load balancer sends them elsewhere.
    #[arg(long, value_name = "TIME")]
    drain: Option<String>,
    /// How many requests a minute may come from one address, or `off` [default: 60000]
    #[arg(long, value_name = "NUMBER")]
    address_rate: Option<String>,
    /// How many requests a minute may come with one API key, or `off` [default: 6000]
    #[arg(long, value_name = "NUMBER")]
    key_rate: Option<String>,
    /// How many ceremonies of passkeys a minute may be begun or finished with one API key, or `off`
    /// [default: 60]
    #[arg(long, value_name = "NUMBER")]
    ceremony_rate: Option<String>,
    /// How many proxies requests come through, each of which adds their source to X-Forwarded-For
    /// [default: 0]
    ///
    /// Too few, and all users share the limit of one address. Too many, and whoever asks says from
    /// where.
    #[arg(long, value_name = "NUMBER")]
    proxies: Option<String>,
    /// What is logged on stderr: a level, or targets and levels [default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// How it is logged: text, or json, one object a line [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

/// All of it, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) options: Options,
    pub(crate) log: Targets,
    pub(crate) log_format: LogFormat,
    /// The keys that shares are sealed under. None: the one in the data folder.
    pub(crate) keys: Vec<KeySetting>,
    enclave: EnclaveSettings,
    /// What each of them was given as, and where.
    pub(crate) given: BTreeMap<Setting, (String, Source)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Settings {
    /// Reads all of it, and says all that is wrong with it.
    pub(crate) fn read(file: Option<PathBuf>, flags: &Flags) -> Result<Self, Failure> {
        let mut settings = Self::defaults();
        let mut wrong = Vec::new();
        let named = file.or_else(|| env::var_os(CONFIG).map(PathBuf::from));
        let given = match named {
            Some(path) => file::read(&path, &mut settings.keys, &mut wrong)?,
            None => Vec::new(),
        };
        let given = given.into_iter().chain(of_environment(&mut wrong)).chain(flags.given());
        for (key, text, source) in given {
            if let Err(allowed) = settings.set(key, text.clone(), source.clone()) {
                wrong.push(format!("{source}: {key} cannot be {text:?}; {allowed}"));
            }
        }
        settings.check(&mut wrong);
        if wrong.is_empty() { Ok(settings) } else { Err(refused(&wrong)) }
    }

    fn defaults() -> Self {
        let mut settings = Self {
            options: Options::new(PathBuf::new()),
            log: Targets::new(),
            log_format: LogFormat::Text,
            keys: Vec::new(),
            enclave: EnclaveSettings::default(),
            given: BTreeMap::new(),
        };
        for key in Setting::ALL {
            if let Some(default) = key.default() {
                let set = settings.set(key, default.to_owned(), Source::Default);
                set.expect("the defaults are allowed");
            }
        }
        settings
    }

    /// Takes one of them over, or says what is allowed.
    fn set(&mut self, key: Setting, mut text: String, source: Source) -> Result<(), &'static str> {
        let options = &mut self.options;
        let wrong = || key.allowed();
        match key {
            Setting::Data if text.is_empty() => return Err(wrong()),
            Setting::Data => {
                options.folder = source.resolve(&text);
                text = options.folder.display().to_string();
            }
            Setting::Listen => options.listen = text.parse().map_err(|_| wrong())?,
            Setting::Metrics => {
                options.metrics = unless_off(&text, |text| text.parse().ok()).ok_or_else(wrong)?;
            }
            Setting::Grace => options.grace = duration::parse(&text).map_err(|_| wrong())?,
            Setting::RestoreWindow => {
                let time = duration::parse(&text).map_err(|_| wrong())?;
                if time.is_zero() {
                    return Err(wrong());
                }
                options.restore_window = time;
            }
            Setting::LongestEject => {
                let time = duration::parse(&text).map_err(|_| wrong())?;
                if time.as_secs() < USUAL_EJECT_SECONDS {
                    return Err(wrong());
                }
                options.longest_eject = time;
            }
            Setting::BackupWithPortal => {
                options.backup_with_portal = Some(text.parse().map_err(|_| wrong())?);
            }
            Setting::WebhookHttp => {
                options.webhooks.plain_http = text.parse().map_err(|_| wrong())?;
            }
            Setting::WebhookPrivateAddresses => {
                options.webhooks.private_addresses = text.parse().map_err(|_| wrong())?;
            }
            Setting::LostKeys => options.lost_keys = ids(&text).ok_or_else(wrong)?,
            Setting::Drain => options.drain = duration::parse(&text).map_err(|_| wrong())?,
            Setting::AddressRate => options.limits.address_rate = rate(&text).ok_or_else(wrong)?,
            Setting::KeyRate => options.limits.key_rate = rate(&text).ok_or_else(wrong)?,
            Setting::CeremonyRate => {
                options.limits.ceremony_rate = rate(&text).ok_or_else(wrong)?;
            }
            Setting::Proxies => options.limits.proxies = proxies(&text).ok_or_else(wrong)?,
            Setting::EnclaveRelyingParty
            | Setting::EnclaveName
            | Setting::EnclaveOrigins
            | Setting::EnclaveCors
            | Setting::EnclaveListen => self.enclave.set(key, &text).ok_or_else(wrong)?,
            Setting::Log => self.log = targets(&text).ok_or_else(wrong)?,
            Setting::LogFormat => self.log_format = log_format(&text).ok_or_else(wrong)?,
        }
        self.given.insert(key, (text, source));
        Ok(())
    }

    /// What no value of its own shows.
    fn check(&mut self, wrong: &mut Vec<String>) {
        self.take_enclave(wrong);
        if self.options.folder.as_os_str().is_empty() {
            wrong.push("data is not given; name the folder of the service".into());
        }
        if self.options.grace < self.options.restore_window {
            wrong.push(format!(
                "grace is {} and restore-window {}: a copy of that age could need a backup that is \
                 gone; make grace as long, or longer",
                self.given[&Setting::Grace].0,
                self.given[&Setting::RestoreWindow].0,
            ));
        }
        let listen = self.options.listen;
        if self.options.metrics == Some(listen) && listen.port() != 0 {
            wrong.push(format!("listen and metrics are both {listen}; give metrics another port"));
        }
    }
}

impl Flags {
    /// Of a command that works on the service's folder.
    pub(crate) fn with_data(data: Option<String>) -> Self {
        Self { data, ..Self::default() }
    }

    fn given(&self) -> impl Iterator<Item = (Setting, String, Source)> {
        let texts = Setting::ALL.map(|key| (key, self.text(key)));
        texts.into_iter().filter_map(|(key, text)| Some((key, text?, Source::Flag(key))))
    }

    fn text(&self, key: Setting) -> Option<String> {
        let text = match key {
            Setting::Data => &self.data,
            Setting::Listen => &self.listen,
            Setting::Metrics => &self.metrics,
            Setting::Grace => &self.grace,
            Setting::RestoreWindow => &self.restore_window,
            Setting::LongestEject => &self.longest_eject,
            Setting::BackupWithPortal => &self.backup_with_portal,
            Setting::WebhookHttp => &self.webhook_http,
            Setting::WebhookPrivateAddresses => &self.webhook_private_addresses,
            Setting::LostKeys => &self.lost_keys,
            Setting::Drain => &self.drain,
            Setting::AddressRate => &self.address_rate,
            Setting::KeyRate => &self.key_rate,
            Setting::CeremonyRate => &self.ceremony_rate,
            Setting::EnclaveRelyingParty
            | Setting::EnclaveName
            | Setting::EnclaveOrigins
            | Setting::EnclaveCors
            | Setting::EnclaveListen => return None,
            Setting::Proxies => &self.proxies,
            Setting::Log => &self.log,
            Setting::LogFormat => &self.log_format,
        };
        text.clone()
    }
}

/// Names that begin as ours do and are not ours are mistakes.
fn of_environment(wrong: &mut Vec<String>) -> Vec<(Setting, String, Source)> {
    let mut given = Vec::new();
    for (name, value) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let key = Setting::ALL.into_iter().find(|key| key.variable() == name);
        match (key, value.into_string()) {
            (Some(_), Ok(value)) if value.is_empty() => {}
            (Some(key), Ok(value)) => given.push((key, value, Source::Variable(key))),
            (Some(_), Err(_)) => wrong.push(format!("{name}: it is not UTF-8")),
            (None, _) if name.starts_with(Setting::PREFIX) && name != CONFIG => {
                wrong.push(format!(
                    "{name}: there is no such variable; {}",
                    Setting::list(Setting::variable)
                ));
            }
            (None, _) => {}
        }
    }
    given
}

fn refused(wrong: &[String]) -> Failure {
    let lines = wrong.join("\n  ");
    Failure::new(Kind::Usage, format!("the service cannot run like this:\n  {lines}"))
}

/// `None` if it is wrong.
fn unless_off<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if text == "off" { Some(None) } else { parse(text).map(Some) }
}

/// None is a list, too.
fn ids(text: &str) -> Option<Vec<String>> {
    let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned);
    let ids: Vec<_> = ids.collect();
    ids.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_graphic())).then_some(ids)
}

fn rate(text: &str) -> Option<Option<NonZeroU32>> {
    unless_off(text, |text| text.parse().ok())
}

fn proxies(text: &str) -> Option<usize> {
    text.parse().ok().filter(|proxies| *proxies <= 16)
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// Libraries are heard only if they are named.
fn targets(text: &str) -> Option<Targets> {
    format!("{QUIET},{text}").parse().ok()
}

const QUIET: &str = "h2=warn,hyper=warn,hyper_util=warn,sqlx=warn,tower=warn";

/// The variable that names the file.
pub(crate) const CONFIG: &str = "PORTAL_SERVE_CONFIG";
