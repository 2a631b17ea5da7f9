//! A backup, as the service describes it.

use portal_client::Backup;
use serde_json::{Value, json};

use crate::date;

pub(crate) fn as_text(backup: &Backup) -> String {
    let facts = [
        (!backup.completed, "not completed"),
        (backup.head, "the newest"),
        (backup.proved, "seen to work"),
        (backup.made_here, "made by this device"),
    ];
    let facts = facts.into_iter().filter(|(holds, _)| *holds).map(|(_, fact)| fact.to_owned());
    let goes = backup.retires_at.map(|time| format!("goes on {}", date::as_text(time)));
    let facts: Vec<_> = facts.chain(goes).collect();
    let created = date::as_text(backup.created_at);
    format!("{} {} {created}  {}", backup.id, backup.method, facts.join(", "))
}

/// Times are in seconds since 1970.
pub(crate) fn as_json(backup: &Backup) -> Value {
    json!({
        "id": backup.id.as_str(),
        "method": backup.method.as_str(),
        "completed": backup.completed,
        "newest": backup.head,
        "proved": backup.proved,
        "madeHere": backup.made_here,
        "createdAt": backup.created_at,
        "completedAt": backup.completed_at,
        "retiresAt": backup.retires_at,
    })
}
