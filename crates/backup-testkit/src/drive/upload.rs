//! Multipart uploads: metadata and content in one body (RFC 2387).

use serde_json::{Map, Value};

use super::refusal::{Refusal, Result};

/// What one upload brings.
pub(super) struct Upload {
    pub(super) metadata: Map<String, Value>,
    pub(super) content_type: String,
    pub(super) content: Vec<u8>,
}

impl Upload {
    pub(super) fn parse(content_type: &str, body: &[u8]) -> Result<Self> {
        let mut parts = content_type.split(';').map(str::trim);
        if parts.next() != Some("multipart/related") {
            return Err(bad_content("Unsupported content with type"));
        }
        let boundary = parts.find_map(|part| part.strip_prefix("boundary="));
        let boundary = boundary.map(|text| text.trim_matches('"')).filter(|text| !text.is_empty());
        let boundary = boundary.ok_or_else(|| bad_content("Missing multipart boundary"))?;
        let [metadata, media] = two_parts(body, boundary)?;
        if !metadata.0.starts_with("application/json") {
            return Err(bad_content("Metadata part is not JSON"));
        }
        let metadata = serde_json::from_slice(metadata.1)
            .map_err(|_| Refusal::new(400, "parseError", "Parse Error"))?;
        Ok(Self { metadata, content_type: media.0, content: media.1.to_vec() })
    }
}

/// Type and content of two parts. Line ends may be LF alone, as Portal's SDKs write them.
fn two_parts<'a>(body: &'a [u8], boundary: &str) -> Result<[(String, &'a [u8]); 2]> {
    let mark = format!("--{boundary}");
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(found) = find(&body[at..], mark.as_bytes()) {
        starts.push(at + found);
        at += found + mark.len();
    }
    let [first, second, last] = starts[..] else {
        return Err(bad_content("Multipart body does not have two parts"));
    };
    if !body[last + mark.len()..].starts_with(b"--") {
        return Err(bad_content("Multipart body is cut short"));
    }
    let part = |from: usize, to: usize| part(&body[from + mark.len()..to]);
    Ok([part(first, second)?, part(second, last)?])
}

fn part(bytes: &[u8]) -> Result<(String, &[u8])> {
    let (head, content) = [&b"\r\n\r\n"[..], b"\n\n"]
        .into_iter()
        .find_map(|gap| find(bytes, gap).map(|at| (&bytes[..at], &bytes[at + gap.len()..])))
        .ok_or_else(|| bad_content("A part has no head"))?;
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    let content = content.strip_suffix(b"\r").unwrap_or(content);
    let head = String::from_utf8_lossy(head);
    let of_type = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type").then(|| value.trim().to_owned())
    });
    Ok((of_type.ok_or_else(|| bad_content("A part has no type"))?, content))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn bad_content(message: &str) -> Refusal {
    Refusal::new(400, "badContent", message)
}
