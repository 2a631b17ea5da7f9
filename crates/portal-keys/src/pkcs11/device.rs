//! One session with a token, opened when it is needed, and opened again when it was ended.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use backup_core::{Error, ErrorKind, Result, secrecy::ExposeSecret};
use cryptoki::{
    context::Pkcs11,
    error::{Error as Cryptoki, RvError},
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};

use super::{Pkcs11Options, failure, module};
use crate::error::invalid_input;

/// A token as these options name it. Calls wait for each other, and for the token.
#[derive(Debug)]
pub(super) struct Device {
    options: Pkcs11Options,
    state: Mutex<State>,
    /// Since when the call that is made now is not answered.
    asked: Mutex<Option<Instant>>,
}

#[derive(Debug)]
enum State {
    Closed,
    Open(Session, ObjectHandle),
    /// It has refused the PIN.
    Refused,
}

impl Device {
    pub(super) fn new(options: Pkcs11Options) -> Self {
        Self { options, state: Mutex::new(State::Closed), asked: Mutex::new(None) }
    }

    /// Whether a call is not answered for so long.
    pub(super) fn hangs(&self, patience: Duration) -> bool {
        self.asked().is_some_and(|since| since.elapsed() > patience)
    }

    /// Does something with the key. If the session turns out to be over, once more with a new one.
    pub(super) fn with_key<T>(
        &self,
        refusal: impl FnOnce(Cryptoki) -> Error,
        mut act: impl FnMut(&Session, ObjectHandle) -> cryptoki::error::Result<T>,
    ) -> Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *self.asked() = Some(Instant::now());
        let done = self.ask(&mut state, &mut act);
        *self.asked() = None;
        done?.map_err(refusal)
    }

    fn ask<T>(
        &self,
        state: &mut State,
        act: &mut impl FnMut(&Session, ObjectHandle) -> cryptoki::error::Result<T>,
    ) -> Result<cryptoki::error::Result<T>> {
        let was_open = matches!(*state, State::Open(..));
        let done = self.try_with_key(state, act)?;
        let is_over = done.as_ref().is_err_and(failure::is_of_a_session_that_is_over);
        if is_over && was_open { self.try_with_key(state, act) } else { Ok(done) }
    }

    fn asked(&self) -> MutexGuard<'_, Option<Instant>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The inner error is that of `act`. After one there may be half an operation in the session,
    /// so that it is given up.
    fn try_with_key<T>(
        &self,
        state: &mut State,
        act: &mut impl FnMut(&Session, ObjectHandle) -> cryptoki::error::Result<T>,
    ) -> Result<cryptoki::error::Result<T>> {
        if let State::Closed = state {
            *state = self.open(state)?;
        }
        let State::Open(session, key) = state else { return Err(pin_refused()) };
        let done = act(session, *key);
        if done.is_err() {
            *state = State::Closed;
        }
        Ok(done)
    }

    fn open(&self, state: &mut State) -> Result<State> {
        let module = module::load(&self.options.module).map_err(not_loaded)?;
        let slot = self.slot(&module)?;
        let opened = module.open_ro_session(slot);
        let session = opened.map_err(|error| failure::unavailable(NO_SESSION, error))?;
        if let Err(error) = self.log_in(&session) {
            if failure::is_of_the_pin(&error) {
                *state = State::Refused;
                return Err(pin_refused().with_source(error));
            }
            return Err(failure::unavailable(NO_SESSION, error));
        }
        let key = self.key(&session)?;
        Ok(State::Open(session, key))
    }

    /// Slots change when tokens are plugged, labels do not.
    fn slot(&self, module: &Pkcs11) -> Result<Slot> {
        let label = |slot: &Slot| module.get_token_info(*slot).map(|info| info.label().to_owned());
        let slots = module.get_slots_with_token();
        let mut slots = slots.map_err(|error| failure::unavailable(NO_SESSION, error))?;
        slots.retain(|slot| label(slot).is_ok_and(|label| label == self.options.token));
        match slots[..] {
            [slot] => Ok(slot),
            [] => Err(Error::new(ErrorKind::Unavailable, "the token is not there; plug it in")),
            _ => Err(invalid_input("two tokens have the same label; give them different ones")),
        }
    }

    fn log_in(&self, session: &Session) -> cryptoki::error::Result<()> {
        let pin = AuthPin::from(self.options.pin.expose_secret());
        match session.login(UserType::User, Some(&pin)) {
            // By another session of this process.
            Err(Cryptoki::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            done => done,
        }
    }

    fn key(&self, session: &Session) -> Result<ObjectHandle> {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Label(self.options.key.clone().into_bytes()),
        ];
        let found = session.find_objects(&template);
        match found.map_err(|error| failure::unavailable(NO_SESSION, error))?[..] {
            [key] if stays_inside(session, key) => Ok(key),
            [_] => Err(invalid_input(
                "the key could be read out of the token, or is not AES-256; make one there that is \
                 sensitive and not extractable, and name that",
            )),
            [] => Err(Error::new(
                ErrorKind::NotFound,
                "the token has no AES key of this label; check the label, or restore the token",
            )),
            _ => Err(invalid_input("two keys in the token have the same label; rename one")),
        }
    }
}

/// Whether nobody, not even with the PIN, reads the key. What a module does not tell is not so.
fn stays_inside(session: &Session, key: ObjectHandle) -> bool {
    let asked = [AttributeType::Sensitive, AttributeType::Extractable, AttributeType::ValueLen];
    let told = session.get_attributes(key, &asked).unwrap_or_default();
    let has = |expected: &Attribute| told.contains(expected);
    has(&Attribute::Sensitive(true))
        && has(&Attribute::Extractable(false))
        && has(&Attribute::ValueLen(32.into()))
}

const NO_SESSION: &str = "the token does not answer; see to it that it works, and try again";

fn not_loaded(error: Cryptoki) -> Error {
    let message = "the PKCS#11 module cannot be loaded; check its path, and its own settings";
    Error::new(ErrorKind::NotFound, message).with_source(error)
}

fn pin_refused() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "the token refused the PIN, which is not given again, since tokens lock themselves; \
         correct it, and start anew",
    )
}
