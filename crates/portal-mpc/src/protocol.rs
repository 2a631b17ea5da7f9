//! What each operation is on one curve: two posts, two answers.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Fault;
use crate::session::SessionId;

/// One operation on one curve, seen from both sides.
///
/// Messages have fixed lengths: `out` is exactly as long as `LENGTHS` says for that step, and so is
/// what is received. The state of each step is consumed by the next.
#[doc(hidden)]
pub trait Protocol {
    /// What both sides bring: the share, the payload.
    type Input<'a>: Copy;
    /// The client's state after its first post.
    type Started: Send;
    /// The client's state after its second post.
    type Advanced: Send;
    /// The server's state between the posts.
    type Answered: Serialize + DeserializeOwned + Send;
    /// What either side ends with.
    type Output;

    /// The lengths of the post, the reply, the second post and the second reply.
    const LENGTHS: [usize; 4];

    fn start(
        input: Self::Input<'_>,
        id: &SessionId,
        out: &mut [u8],
    ) -> Result<Self::Started, Fault>;

    fn answer(
        input: Self::Input<'_>,
        id: &SessionId,
        post: &[u8],
        out: &mut [u8],
    ) -> Result<Self::Answered, Fault>;

    fn advance(
        input: Self::Input<'_>,
        id: &SessionId,
        state: Self::Started,
        reply: &[u8],
        out: &mut [u8],
    ) -> Result<Self::Advanced, Fault>;

    fn conclude(
        input: Self::Input<'_>,
        id: &SessionId,
        state: Self::Answered,
        post: &[u8],
        out: &mut [u8],
    ) -> Result<Self::Output, Fault>;

    fn finish(
        input: Self::Input<'_>,
        id: &SessionId,
        state: Self::Advanced,
        reply: &[u8],
    ) -> Result<Self::Output, Fault>;
}
