//! The client's side: states that live in memory only, each consumed by the next step.

use backup_core::Curve;

use crate::by_curve::ByCurve;
use crate::error::Error;
use crate::operation::{
    Made, NewPair, Operation, Source, new_pairs, pairs, split_nonce, write_head,
};
use crate::pair::PairId;
use crate::parts::{AdvancedOn, PerCurve, StartedOn, blame, split, split_mut};
use crate::protocol::Protocol;
use crate::role::Client;
use crate::session::{
    Context, Header, Nonce, Outgoing, Reply, SessionId, SessionSecret, Step, random,
};

/// The client's state after its first post.
///
/// It cannot be stored: a session that the process does not survive is begun again.
#[must_use = "the reply to the first post is yet to come"]
pub struct Started<'a, O: Operation> {
    session: Session<'a, O>,
    nonce: Nonce,
    states: StartedOn<O>,
}

/// The client's state after its second post.
#[must_use = "the reply to the second post is yet to come"]
pub struct Advanced<'a, O: Operation> {
    session: Session<'a, O>,
    new: ByCurve<Option<NewPair>>,
    states: AdvancedOn<O>,
}

/// What does not change during a session.
struct Session<'a, O: Operation> {
    sources: ByCurve<O::Source<'a, Client>>,
    header: Header,
    secret: SessionSecret,
}

impl<'a, O: Operation> Started<'a, O> {
    /// The secret to pass along with each post of this session.
    #[must_use]
    pub const fn secret(&self) -> &SessionSecret {
        &self.session.secret
    }

    /// The id of this session.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.session.header.id
    }

    /// The second post, out of the reply to the first.
    ///
    /// # Errors
    ///
    /// As the operation's errors say. The session is then over, and no share has changed.
    pub fn advance(self, reply: Reply<'_>) -> Result<(Advanced<'a, O>, Outgoing), O::Error> {
        let Self { session, nonce, states } = self;
        let frame = reply.into_frame();
        session.expect(frame.header, Step::FirstReply)?;
        let (server_nonce, body) = split_nonce(O::KIND, frame.body());
        let parts = split::<O>(Step::FirstReply, session.header.curves, body);
        let new = session.new_pairs(&nonce, server_nonce, &parts)?;
        let (post, states) = frame.answer(Step::SecondPost, |body| {
            let out = split_mut::<O>(Step::SecondPost, session.header.curves, body);
            session.advance(states, parts.map(|(_, message)| message), out)
        })?;
        Ok((Advanced { session, new, states }, post))
    }

    pub(crate) fn new(
        context: &Context,
        sources: ByCurve<O::Source<'a, Client>>,
    ) -> Result<(Self, Outgoing), O::Error> {
        let curves = sources.curves()?;
        sources.iter().try_for_each(|(_, source)| source.check())?;
        let (nonce, secret) = (random()?, SessionSecret::generate()?);
        let id = context.session_id(O::KIND, curves, &pairs::<O, _>(&sources), &nonce);
        let header = Header { operation: O::KIND, step: Step::FirstPost, curves, id };
        let session = Session { sources, header, secret };
        let (post, states) =
            header.seal(&session.secret.tag_key(), |body| -> Result<_, O::Error> {
                let (nonce_out, body) = body.split_at_mut(nonce.len());
                nonce_out.copy_from_slice(&nonce);
                session.start(split_mut::<O>(Step::FirstPost, curves, body))
            })?;
        Ok((Self { session, nonce, states }, post))
    }
}

impl<O: Operation> Advanced<'_, O> {
    /// The secret to pass along with each post of this session.
    #[must_use]
    pub const fn secret(&self) -> &SessionSecret {
        &self.session.secret
    }

    /// The id of this session.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.session.header.id
    }

    /// What the operation was for, out of the reply to the second post.
    ///
    /// # Errors
    ///
    /// As the operation's errors say. The session is then over, and no share has changed.
    pub fn finish(self, reply: Reply<'_>) -> Result<ByCurve<O::Output<Client>>, O::Error> {
        let Self { session, new, states } = self;
        let frame = reply.into_frame();
        session.expect(frame.header, Step::SecondReply)?;
        let parts = split::<O>(Step::SecondReply, session.header.curves, frame.body());
        let made = session.finish(states, parts.map(|(_, message)| message))?;
        let outputs = session.sources.zip(made)?.zip(new)?;
        Ok(outputs.try_map(|_, ((source, made), new)| O::output(&source, made, new))?)
    }
}

impl<O: Operation> Session<'_, O> {
    fn expect(&self, header: Header, step: Step) -> Result<(), Error> {
        let expected = Header { step, ..self.header };
        if header == expected { Ok(()) } else { Err(Error::WrongSession) }
    }

    /// The ids that the server gives the new pairs, and their test challenges.
    fn new_pairs(
        &self,
        nonce: &Nonce,
        server_nonce: Nonce,
        parts: &ByCurve<(&[u8], &[u8])>,
    ) -> Result<ByCurve<Option<NewPair>>, Error> {
        if !O::KIND.makes_pair() {
            return Ok(parts.map(|_| None));
        }
        let ids = parts.try_map(|_, (head, _)| {
            head.try_into().map(PairId::from_bytes).map_err(|_| Error::WrongSession)
        })?;
        let new =
            new_pairs(&self.header.id, &pairs::<O, _>(&self.sources), ids, [nonce, &server_nonce])?;
        Ok(new.map(Some))
    }

    fn start(&self, out: ByCurve<(&mut [u8], &mut [u8])>) -> Result<StartedOn<O>, O::Error> {
        let id = &self.header.id;
        PerCurve::from(self.sources.zip(out)?).run(
            |(source, (head, out))| {
                write_head::<O, _>(source, head);
                source
                    .secp256k1()
                    .map_err(Into::into)
                    .and_then(|input| O::Secp256k1::start(input, id, out))
                    .map_err(blame::<O, _>(Curve::Secp256k1, source))
            },
            |(source, (head, out))| {
                write_head::<O, _>(source, head);
                source
                    .ed25519()
                    .map_err(Into::into)
                    .and_then(|input| O::Ed25519::start(input, id, out))
                    .map_err(blame::<O, _>(Curve::Ed25519, source))
            },
        )
    }

    fn advance(
        &self,
        states: StartedOn<O>,
        replies: ByCurve<&[u8]>,
        out: ByCurve<(&mut [u8], &mut [u8])>,
    ) -> Result<AdvancedOn<O>, O::Error> {
        let id = &self.header.id;
        states.zip(self.sources.zip(replies)?.zip(out)?).run(
            |(state, ((source, reply), (_, out)))| {
                source
                    .secp256k1()
                    .map_err(Into::into)
                    .and_then(|input| O::Secp256k1::advance(input, id, state, reply, out))
                    .map_err(blame::<O, _>(Curve::Secp256k1, source))
            },
            |(state, ((source, reply), (_, out)))| {
                source
                    .ed25519()
                    .map_err(Into::into)
                    .and_then(|input| O::Ed25519::advance(input, id, state, reply, out))
                    .map_err(blame::<O, _>(Curve::Ed25519, source))
            },
        )
    }

    fn finish(
        &self,
        states: AdvancedOn<O>,
        replies: ByCurve<&[u8]>,
    ) -> Result<ByCurve<Made<O>>, O::Error> {
        let id = &self.header.id;
        let made = states.zip(self.sources.zip(replies)?).run(
            |(state, (source, reply))| {
                source
                    .secp256k1()
                    .map_err(Into::into)
                    .and_then(|input| O::Secp256k1::finish(input, id, state, reply))
                    .map(Made::Secp256k1)
                    .map_err(blame::<O, _>(Curve::Secp256k1, source))
            },
            |(state, (source, reply))| {
                source
                    .ed25519()
                    .map_err(Into::into)
                    .and_then(|input| O::Ed25519::finish(input, id, state, reply))
                    .map(Made::Ed25519)
                    .map_err(blame::<O, _>(Curve::Ed25519, source))
            },
        )?;
        Ok(made.into())
    }
}

impl<O: Operation> std::fmt::Debug for Started<'_, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Started({:?}, {})", O::KIND, self.session_id())
    }
}

impl<O: Operation> std::fmt::Debug for Advanced<'_, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Advanced({:?}, {})", O::KIND, self.session_id())
    }
}
