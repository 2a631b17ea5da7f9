//! The file of settings: TOML, one key a line, and tables for custody keys and the enclave.

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
    for (name, value) in table.get_ref() {
        if name.get_ref() == keys::TABLE {
            keys::read(value.get_ref(), &at, custody, wrong);
            continue;
        }
        let section = value.get_ref().as_table().filter(|_| name.get_ref() == ENCLAVE);
        let fields = section.into_iter().flatten();
        let fields = fields.map(|(field, value)| {
            (format!("{ENCLAVE}.{}", field.get_ref()), field.span().start, value.get_ref())
        });
        let alone = (name.get_ref().to_string(), name.span().start, value.get_ref());
        let alone = section.is_none().then_some(alone);
        for (name, offset, value) in fields.chain(alone) {
            match one(&name, value) {
                Ok((key, text)) => given.push((key, text, at(offset))),
                Err(message) => wrong.push(format!("{}: {message}", at(offset))),
            }
        }
    }
    Ok(given)
}

fn one(name: &str, value: &DeValue<'_>) -> Result<(Setting, String), String> {
    let key = Setting::ALL.into_iter().find(|key| key.name() == name);
    let key = key.ok_or_else(|| {
        let names = Setting::list(|key| key.name().to_owned());
        format!("there is no key {name:?}; {names}")
    })?;
    let text = if key.is_list() { list(value) } else { plain(value) };
    let text =
        text.ok_or_else(|| format!("{key} is neither text nor number; {}", key.allowed()))?;
    Ok((key, text))
}

/// A list may also be text, with commas between its members.
fn list(value: &DeValue<'_>) -> Option<String> {
    let Some(members) = value.as_array() else { return plain(value) };
    let members = members.iter().map(|member| plain(member.get_ref()));
    Some(members.collect::<Option<Vec<_>>>()?.join(","))
}

/// The section whose keys have its name before them everywhere else.
const ENCLAVE: &str = "enclave";

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
