//! The parameter `fields`: which part of an answer is wanted.

use serde_json::{Map, Value};

use super::refusal::{Refusal, Result};

/// The names of an object, and what is inside them.
pub(super) struct Shape(&'static [(&'static str, Option<&'static Shape>)]);

const USER: Shape = Shape(&[
    ("displayName", None),
    ("emailAddress", None),
    ("kind", None),
    ("me", None),
    ("permissionId", None),
    ("photoLink", None),
]);

const QUOTA: Shape =
    Shape(&[("limit", None), ("usage", None), ("usageInDrive", None), ("usageInDriveTrash", None)]);

/// Of a file, what the double has to say.
pub(super) const FILE: Shape = Shape(&[
    ("appProperties", None),
    ("createdTime", None),
    ("explicitlyTrashed", None),
    ("id", None),
    ("kind", None),
    ("mimeType", None),
    ("modifiedTime", None),
    ("name", None),
    ("ownedByMe", None),
    ("owners", Some(&USER)),
    ("parents", None),
    ("size", None),
    ("spaces", None),
    ("trashed", None),
]);

pub(super) const LIST: Shape = Shape(&[
    ("files", Some(&FILE)),
    ("incompleteSearch", None),
    ("kind", None),
    ("nextPageToken", None),
]);

pub(super) const ABOUT: Shape =
    Shape(&[("kind", None), ("storageQuota", Some(&QUOTA)), ("user", Some(&USER))]);

/// What is taken of an object: all of it, or these names.
pub(super) enum Selection {
    All,
    Names(Vec<(&'static str, Selection)>),
}

impl Selection {
    pub(super) fn parse(text: &str, shape: &Shape) -> Result<Self> {
        let mut rest = text;
        let selection = names(&mut rest, shape)?;
        if rest.is_empty() { Ok(selection) } else { Err(invalid(rest)) }
    }

    pub(super) fn of(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Names(_), Value::Array(items)) => {
                items.iter().map(|item| self.of(item)).collect()
            }
            (Self::Names(names), Value::Object(object)) => {
                let pick = |(name, inner): &(&'static str, Self)| {
                    Some(((*name).to_owned(), inner.of(object.get(*name)?)))
                };
                Value::Object(names.iter().filter_map(pick).collect::<Map<_, _>>())
            }
            _ => value.clone(),
        }
    }
}

fn names(rest: &mut &str, shape: &Shape) -> Result<Selection> {
    if let Some(after) = rest.strip_prefix('*') {
        *rest = after;
        return Ok(Selection::All);
    }
    let mut chosen = Vec::new();
    loop {
        chosen.push(one(rest, shape)?);
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Ok(Selection::Names(chosen)),
        }
    }
}

fn one(rest: &mut &str, shape: &Shape) -> Result<(&'static str, Selection)> {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let Some((name, inside)) = shape.0.iter().find(|(known, _)| *known == name) else {
        return Err(invalid(name));
    };
    *rest = after;
    let Some(inside) = inside else { return Ok((name, Selection::All)) };
    if let Some(after) = rest.strip_prefix('(') {
        *rest = after;
        let selection = names(rest, inside)?;
        *rest = rest.strip_prefix(')').ok_or_else(|| invalid(name))?;
        return Ok((name, selection));
    }
    if let Some(after) = rest.strip_prefix('/') {
        *rest = after;
        return Ok((name, Selection::Names(vec![one(rest, inside)?])));
    }
    Ok((name, Selection::All))
}

fn invalid(name: &str) -> Refusal {
    let message = format!("Invalid field selection {name}");
    Refusal::new(400, "invalidParameter", message)
}
