//! The file of settings: TOML, one key a line, and a table for each custody key.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{KeySetting, Setting, Source, keys};
use crate::{
    bounded_file,
    failure::{Failure, Kind},
};

/// What is in the file; and what is wrong with it, each with its line.
pub(super) fn read(
    path: &Path,
    custody: &mut Vec<KeySetting>,
    wrong: &mut Vec<String>,
) -> Result<Vec<(Setting, String, Source)>, Failure> {
    let bytes = bounded_file::read(path, MAX_LEN)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(Kind::Usage, format!("{} is not UTF-8", path.display())))?;
    let at = |offset: usize| {
        let line = text[..offset.min(text.len())].matches('\n').count() + 1;
        Source::File { path: path.to_owned(), line }
    };
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in errors {
        let source = at(error.span().map_or(0, |span| span.start));
        wrong.push(format!("{source}: {}", error.message()));
    }
    let mut given = Vec::new();
    for (name, value) in table.into_inner() {
        let source = at(name.span().start);
        let name = name.get_ref();
        if name.as_ref() == keys::TABLE {
            keys::read(value.get_ref(), &at, custody, wrong);
            continue;
        }
        let key = Setting::ALL.into_iter().find(|key| key.name() == name.as_ref());
        match (key, plain(value.get_ref())) {
            (Some(key), Some(text)) => given.push((key, text, source)),
            (Some(key), None) => {
                wrong
                    .push(format!("{source}: {key} is neither text nor number; {}", key.allowed()));
            }
            (None, _) => {
                let names = Setting::list(|key| key.name().to_owned());
                wrong.push(format!("{source}: there is no key {name:?}; {names}"));
            }
        }
    }
    Ok(given)
}

/// As it would stand in a variable or on the command line.
pub(super) fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.as_ref().to_owned()),
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(value) => Some(value.to_string()),
        _ => None,
    }
}

/// A hundred times what is needed.
const MAX_LEN: usize = 256 * 1024;
