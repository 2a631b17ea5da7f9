//! Where in a user's Drive keys are kept, and what the app may see for it.

/// Where in the user's Drive keys are kept.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// The app-data folder, which neither the user nor another app sees.
    ///
    /// **Who disconnects the app from their Google account deletes what is in it**, and with it
    /// every key.
    #[default]
    Hidden,
    /// A folder of this name at the top of the user's Drive.
    ///
    /// The user sees the keys, can copy them, and can throw them away; they stay when the app is
    /// disconnected.
    Folder(String),
}

impl Place {
    /// The least that the app has to be allowed.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self {
            Self::Hidden => Scope::AppData,
            Self::Folder(_) => Scope::OwnFiles,
        }
    }

    /// What Drive calls the part of an account in which this is.
    pub(crate) fn space(&self) -> &'static str {
        match self {
            Self::Hidden => "appDataFolder",
            Self::Folder(_) => "drive",
        }
    }
}

/// What an app may do in a user's Drive. Google calls neither of these sensitive.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Scope {
    /// `drive.appdata`: its own hidden folder, and nothing else.
    AppData,
    /// `drive.file`: the files that it made, and nothing else.
    OwnFiles,
}

impl Scope {
    /// The scope as OAuth names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AppData => "https://www.googleapis.com/auth/drive.appdata",
            Self::OwnFiles => "https://www.googleapis.com/auth/drive.file",
        }
    }
}
