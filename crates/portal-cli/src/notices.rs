//! What there is to know beside the outcome of a command.

use portal_client::Notice;
use serde_json::Value;

pub(crate) fn as_text(notices: &[Notice]) -> String {
    let lines: String = notices.iter().map(|notice| format!("Note: {notice}.\n")).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

pub(crate) fn as_json(notices: &[Notice]) -> Value {
    notices.iter().map(|notice| Value::from(notice.to_string())).collect()
}
