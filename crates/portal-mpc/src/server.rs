//! The server's side: one state between the two posts, which is stored and consumed.

mod state;

pub use state::Answered;

use backup_core::Curve;

use crate::by_curve::ByCurve;
use crate::error::Error;
use crate::operation::{
    Made, NewPair, Operation, Source, check_heads, new_pairs, pairs, sources_digest, write_nonce,
};
use crate::pair::PairId;
use crate::parts::{AnsweredOn, PerCurve, blame, split, split_mut};
use crate::protocol::Protocol;
use crate::role::Server;
use crate::session::{Context, Header, Nonce, Outgoing, Post, SessionId, Step, random};

impl<O: Operation> Answered<O> {
    pub(crate) fn new(
        context: &Context,
        sources: ByCurve<O::Source<'_, Server>>,
        new_ids: Option<ByCurve<PairId>>,
        post: Post<'_>,
    ) -> Result<(Self, Outgoing), O::Error> {
        let frame = post.into_frame();
        let (id, curves) = (frame.header.id, sources.curves()?);
        expect(frame.header, Header { operation: O::KIND, step: Step::FirstPost, curves, id })?;
        let (nonce, body) = frame.body().split_first_chunk().ok_or(Error::WrongSession)?;
        let posts = split::<O>(Step::FirstPost, curves, body);
        let old = pairs::<O, _>(&sources);
        check_heads::<O, _>(sources, posts.map(|(head, _)| head))?;
        if id != context.session_id(O::KIND, curves, &old, nonce) {
            return Err(Error::WrongSession.into());
        }
        sources.iter().try_for_each(|(_, source)| source.check())?;
        let server_nonce = if O::KIND.has_test() { random()? } else { Nonce::default() };
        let new = match new_ids {
            Some(ids) => new_pairs(&id, &old, ids, [nonce, &server_nonce])?.map(Some),
            None => posts.map(|_| None),
        };
        let (reply, states) = frame.answer(Step::FirstReply, |body| {
            let body = write_nonce(O::KIND, &server_nonce, body);
            let out = split_mut::<O>(Step::FirstReply, curves, body);
            answer::<O>(&id, sources, new, posts.map(|(_, message)| message), out)
        })?;
        let sources = sources_digest::<O, _>(&sources);
        Ok((Self { id, curves, sources, new, states }, reply))
    }

    #[allow(clippy::type_complexity, reason = "the outputs of both curves, and the reply")]
    pub(crate) fn conclude(
        self,
        sources: ByCurve<O::Source<'_, Server>>,
        post: Post<'_>,
    ) -> Result<(ByCurve<O::Output<Server>>, Outgoing), O::Error> {
        let Self { id, curves, sources: digest, new, states } = self;
        let frame = post.into_frame();
        expect(frame.header, Header { operation: O::KIND, step: Step::SecondPost, curves, id })?;
        if sources.curves()? != curves || sources_digest::<O, _>(&sources) != digest {
            return Err(Error::WrongSession.into());
        }
        let posts = split::<O>(Step::SecondPost, curves, frame.body());
        let (reply, made) = frame.answer(Step::SecondReply, |body| {
            let out = split_mut::<O>(Step::SecondReply, curves, body);
            conclude::<O>(&id, sources, states, posts.map(|(_, message)| message), out)
        })?;
        let outputs = sources.zip(made)?.zip(new)?;
        let outputs = outputs.try_map(|_, ((source, made), new)| O::output(&source, made, new))?;
        Ok((outputs, reply))
    }
}

fn expect(header: Header, expected: Header) -> Result<(), Error> {
    if header == expected { Ok(()) } else { Err(Error::WrongSession) }
}

fn answer<O: Operation>(
    id: &SessionId,
    sources: ByCurve<O::Source<'_, Server>>,
    new: ByCurve<Option<NewPair>>,
    posts: ByCurve<&[u8]>,
    out: ByCurve<(&mut [u8], &mut [u8])>,
) -> Result<AnsweredOn<O>, O::Error> {
    PerCurve::from(sources.zip(new)?.zip(posts)?.zip(out)?).run(
        |(((source, new), post), (head, out))| {
            write_new_pair(new, head);
            source
                .secp256k1()
                .map_err(Into::into)
                .and_then(|input| O::Secp256k1::answer(input, id, post, out))
                .map_err(blame::<O, _>(Curve::Secp256k1, source))
        },
        |(((source, new), post), (head, out))| {
            write_new_pair(new, head);
            source
                .ed25519()
                .map_err(Into::into)
                .and_then(|input| O::Ed25519::answer(input, id, post, out))
                .map_err(blame::<O, _>(Curve::Ed25519, source))
        },
    )
}

fn conclude<O: Operation>(
    id: &SessionId,
    sources: ByCurve<O::Source<'_, Server>>,
    states: AnsweredOn<O>,
    posts: ByCurve<&[u8]>,
    out: ByCurve<(&mut [u8], &mut [u8])>,
) -> Result<ByCurve<Made<O>>, O::Error> {
    let made = states.zip(sources.zip(posts)?.zip(out)?).run(
        |(state, ((source, post), (_, out)))| {
            source
                .secp256k1()
                .map_err(Into::into)
                .and_then(|input| O::Secp256k1::conclude(input, id, state, post, out))
                .map(Made::Secp256k1)
                .map_err(blame::<O, _>(Curve::Secp256k1, source))
        },
        |(state, ((source, post), (_, out)))| {
            source
                .ed25519()
                .map_err(Into::into)
                .and_then(|input| O::Ed25519::conclude(input, id, state, post, out))
                .map(Made::Ed25519)
                .map_err(blame::<O, _>(Curve::Ed25519, source))
        },
    )?;
    Ok(made.into())
}

fn write_new_pair(new: Option<NewPair>, head: &mut [u8]) {
    if let Some(new) = new {
        head.copy_from_slice(new.id.as_bytes());
    }
}
