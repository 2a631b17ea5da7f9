//! Which calls to the double of a service fail, and how.

/// What becomes of some calls to the double of a service.
#[derive(Clone, Debug)]
pub struct ServiceFault<C> {
    call: C,
    spares: usize,
    times: usize,
    kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// An error of the service's, before the call had an effect or after it.
    Refusal {
        status: u16,
        reason: &'static str,
        retry_after: Option<&'static str>,
        after_effect: bool,
    },
    /// The effect, and no answer.
    AnswerLost,
    /// An answer that is not the service's.
    Answer { status: u16, body: Vec<u8> },
}

impl<C> ServiceFault<C> {
    /// The next `call` is refused with this status and reason.
    #[must_use]
    pub fn refuse(call: C, status: u16, reason: &'static str) -> Self {
        let kind = Kind::Refusal { status, reason, retry_after: None, after_effect: false };
        Self::new(call, kind)
    }

    /// The next `call` takes effect, and its answer does not arrive.
    #[must_use]
    pub fn lose_answer(call: C) -> Self {
        Self::new(call, Kind::AnswerLost)
    }

    /// The next `call` has no effect and is answered with these bytes.
    #[must_use]
    pub fn answer(call: C, status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(call, Kind::Answer { status, body: body.into() })
    }

    fn new(call: C, kind: Kind) -> Self {
        Self { call, spares: 0, times: 1, kind }
    }

    /// Only after so many such calls.
    #[must_use]
    pub fn sparing(self, calls: usize) -> Self {
        Self { spares: calls, ..self }
    }

    /// So many times in a row.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// The call takes effect nevertheless, if it is a refusal.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        if let Kind::Refusal { after_effect, .. } = &mut self.kind {
            *after_effect = true;
        }
        self
    }

    /// With a time to wait, as the service says it, if it is a refusal.
    #[must_use]
    pub fn retry_after(mut self, value: &'static str) -> Self {
        if let Kind::Refusal { retry_after, .. } = &mut self.kind {
            *retry_after = Some(value);
        }
        self
    }
}

/// What is to happen to this call, if anything.
pub(crate) fn next<C: PartialEq>(faults: &mut Vec<ServiceFault<C>>, call: &C) -> Option<Kind> {
    let at = faults.iter().position(|fault| fault.call == *call)?;
    let fault = &mut faults[at];
    if fault.spares > 0 {
        fault.spares -= 1;
        return None;
    }
    fault.times -= 1;
    let kind = fault.kind.clone();
    if fault.times == 0 {
        faults.remove(at);
    }
    Some(kind)
}
