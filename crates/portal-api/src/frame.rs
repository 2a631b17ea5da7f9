//! The bodies of posts and replies: a head in JSON, and a message of the protocols.

use portal_mpc::SessionSecret;
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

/// The longest head, in bytes.
pub const MAX_HEAD_LEN: usize = 128 * 1024;

/// The body of a post: session secret, head, message.
#[derive(Debug)]
pub struct PostFrame<'a> {
    /// The secret of the session.
    pub secret: SessionSecret,
    head: &'a [u8],
    /// The protocols' message.
    pub message: &'a [u8],
}

/// The body of a reply: head, message.
#[derive(Debug)]
pub struct ReplyFrame<'a> {
    head: &'a [u8],
    /// The protocols' message.
    pub message: &'a [u8],
}

/// Why a body is no post or reply.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// It ends before its head does, or the head is too long.
    #[error("the body is cut short, or its head is too long")]
    CutShort,
    /// The head is no JSON object, whose fields an array would give as well.
    #[error("the head of the body is no JSON object")]
    NoObject,
    /// The head is not what it should be.
    #[error("the head of the body is malformed: {0}")]
    Head(#[from] serde_json::Error),
}

/// The media type of both.
pub const MEDIA_TYPE: &str = "application/vnd.portal.mpc";

impl<'a> PostFrame<'a> {
    /// The longest body of a post, in bytes.
    pub const MAX_LEN: usize =
        SessionSecret::LEN + HEAD_LEN + MAX_HEAD_LEN + portal_mpc::Post::MAX_LEN;

    /// The body of a post.
    #[must_use]
    pub fn encode(
        secret: &SessionSecret,
        head: &impl Serialize,
        message: &[u8],
    ) -> Zeroizing<Vec<u8>> {
        encode(secret.expose(), head, message)
    }

    /// Takes the body of a post apart.
    ///
    /// # Errors
    ///
    /// [`FrameError::CutShort`].
    pub fn decode(body: &'a [u8]) -> Result<Self, FrameError> {
        let (secret, rest) = body.split_first_chunk().ok_or(FrameError::CutShort)?;
        let (head, message) = split_head(rest)?;
        Ok(Self { secret: SessionSecret::from_bytes(secret), head, message })
    }

    /// The head.
    ///
    /// # Errors
    ///
    /// [`FrameError::NoObject`], [`FrameError::Head`].
    pub fn head<T: DeserializeOwned>(&self) -> Result<T, FrameError> {
        parse(self.head)
    }
}

impl<'a> ReplyFrame<'a> {
    /// The body of a reply.
    #[must_use]
    pub fn encode(head: &impl Serialize, message: &[u8]) -> Zeroizing<Vec<u8>> {
        encode(&[], head, message)
    }

    /// Takes the body of a reply apart.
    ///
    /// # Errors
    ///
    /// [`FrameError::CutShort`].
    pub fn decode(body: &'a [u8]) -> Result<Self, FrameError> {
        let (head, message) = split_head(body)?;
        Ok(Self { head, message })
    }

    /// The head.
    ///
    /// # Errors
    ///
    /// [`FrameError::NoObject`], [`FrameError::Head`].
    pub fn head<T: DeserializeOwned>(&self) -> Result<T, FrameError> {
        parse(self.head)
    }
}

const HEAD_LEN: usize = 4;

/// The buffer never grows, so that no copy of a secret is left behind.
fn encode(secret: &[u8], head: &impl Serialize, message: &[u8]) -> Zeroizing<Vec<u8>> {
    let head = serde_json::to_vec(head).expect("our heads are plain structs");
    let len = u32::try_from(head.len()).expect("our heads are short");
    let capacity = secret.len() + HEAD_LEN + head.len() + message.len();
    let mut body = Zeroizing::new(Vec::with_capacity(capacity));
    for part in [secret, &len.to_be_bytes(), &head, message] {
        body.extend_from_slice(part);
    }
    body
}

fn parse<T: DeserializeOwned>(head: &[u8]) -> Result<T, FrameError> {
    if head.trim_ascii_start().first() != Some(&b'{') {
        return Err(FrameError::NoObject);
    }
    Ok(serde_json::from_slice(head)?)
}

fn split_head(bytes: &[u8]) -> Result<(&[u8], &[u8]), FrameError> {
    let (len, rest) = bytes.split_first_chunk().ok_or(FrameError::CutShort)?;
    let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
    if len > MAX_HEAD_LEN {
        return Err(FrameError::CutShort);
    }
    rest.split_at_checked(len).ok_or(FrameError::CutShort)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{FirstReply, Nothing};

    proptest! {
        #[test]
        fn a_body_comes_apart_into_what_it_was_made_of(secret: [u8; 32], message: Vec<u8>) {
            let secret = SessionSecret::from_bytes(&secret);
            let body = PostFrame::encode(&secret, &Nothing {}, &message);
            let post = PostFrame::decode(&body).unwrap();
            prop_assert_eq!(post.secret.expose(), secret.expose());
            prop_assert_eq!(post.message, &message);
            post.head::<Nothing>().unwrap();
            let body = ReplyFrame::encode(&FirstReply::default(), &message);
            let reply = ReplyFrame::decode(&body).unwrap();
            prop_assert_eq!(reply.message, &message);
            prop_assert_eq!(reply.head::<FirstReply>().unwrap(), FirstReply::default());
        }

        #[test]
        fn any_bytes_are_a_body_or_an_error(bytes: Vec<u8>) {
            let _ = PostFrame::decode(&bytes).map(|post| post.head::<Nothing>().is_ok());
            let _ = ReplyFrame::decode(&bytes).map(|reply| reply.head::<Nothing>().is_ok());
        }
    }

    #[test]
    fn an_array_is_no_head() {
        let secret = SessionSecret::from_bytes(&[7; 32]);
        for head in ["[]", r#"["confirm","A"]"#, " []", "", "null", "1", r#""{}""#] {
            let len = u32::try_from(head.len()).unwrap().to_be_bytes();
            let reply = [&len, head.as_bytes()].concat();
            let post = [secret.expose(), &reply[..]].concat();
            let post = PostFrame::decode(&post).unwrap().head::<Nothing>();
            assert!(matches!(post, Err(FrameError::NoObject)), "{head}");
            let reply = ReplyFrame::decode(&reply).unwrap().head::<FirstReply>();
            assert!(matches!(reply, Err(FrameError::NoObject)), "{head}");
        }
    }

    #[test]
    fn a_head_that_claims_to_be_longer_than_the_body_or_the_limit_is_cut_short() {
        for len in [1, u32::MAX, u32::try_from(MAX_HEAD_LEN + 1).unwrap()] {
            assert!(ReplyFrame::decode(&len.to_be_bytes()).is_err(), "{len}");
        }
        let long = vec![0; MAX_HEAD_LEN + 1];
        let len = u32::try_from(long.len()).unwrap().to_be_bytes();
        assert!(ReplyFrame::decode(&[&len, &long[..]].concat()).is_err());
    }
}
