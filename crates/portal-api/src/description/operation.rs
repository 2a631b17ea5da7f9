//! One route: who may ask, with what, and every answer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{enclave, types::Types};
use crate::{
    BackupSetView, ClientSession, ClientView, Commit, CreateClient, CreatedClient, ErrorBody,
    FirstPost, FirstReply, Health, MEDIA_TYPE, Nothing, Revocations, compat,
    route::{Asker, Body, Route},
    webhook,
};

/// One route.
pub(super) struct Operation(pub(super) Route);

impl Operation {
    pub(super) fn described(&self, types: &mut Types) -> Value {
        let mut operation = json!({
            "operationId": self.id(),
            "summary": self.summary(),
            "tags": [self.tag()],
            "parameters": self.parameters(),
            "security": self.security(),
            "responses": self.answers(types),
        });
        if let Some(body) = self.0.body() {
            operation["requestBody"] = self.body(body, types);
        }
        operation
    }

    fn id(&self) -> String {
        let name = format!("{:?}", self.0);
        let (first, rest) = name.split_at(1);
        first.to_ascii_lowercase() + rest
    }

    const fn summary(&self) -> &'static str {
        match self.0 {
            Route::Health => "Whether the service is up",
            Route::Ready => "Whether requests may be sent to the service",
            Route::Description => "This document",
            Route::CreateClient => "Make a client",
            Route::Client => "What there is of a client: its signing sets and backup sets",
            Route::FirstPost => "Begin a session",
            Route::SecondPost => "End a session",
            Route::StoreEnvelope => "Store the envelope of a pending set",
            Route::Envelope => "Read the envelope of a set",
            Route::Commit => "Complete a set",
            Route::DropPending => "Drop a pending set",
            Route::Revoke => "Destroy completed sets",
            Route::ClientObject => "The client, as Portal's SDKs know it",
            Route::BackupPairs => "The backup share pairs of a wallet",
            Route::SigningPairs => "The signing share pairs of a wallet",
            Route::StoreCipherText => "Store the ciphertext of a backup share pair",
            Route::CipherText => "Read the ciphertext of a backup share pair",
            Route::BackupPairNotice => "Tell how far backup share pairs have come",
            Route::SigningPairNotice => "Tell how far signing share pairs have come",
            Route::StoredShare => "Tell that the client's half of what is pending is stored",
            Route::StoredShareV1 => "The same, in its older form",
            Route::StoredKey => "Tell that the key of what is pending is stored",
            Route::Identify => "Who a user is: not kept",
            Route::Track => "What a user did: not kept",
            Route::Clients => "A custodian's clients",
            Route::ClientOfCustodian => "One of a custodian's clients",
            Route::CreateClientSession => "Make a session token for a client",
            Route::CreateClientSessionV1 => "Make one, in the older form",
            Route::EndClientSessions => "End all session tokens of a client",
            Route::PrepareEject => "Release the custodian's half to who holds the other",
            Route::EjectableShares => "The client's half of a wallet that may be ejected",
            Route::Ejected => "Tell that a wallet was ejected",
            Route::EnableEject => "Let a client eject a wallet for a while",
            Route::EjectableSharesOfCustodian => "Both halves of a wallet that may be ejected",
            Route::RegisterWebhook => "Say where the custodian's halves are kept",
            Route::RegisterWebhookShort => "Say so, in the shorter form",
            Route::Webhook => "How it stands with the webhook, and which halves may go",
            Route::ErasedPairs => "Tell that halves which may go are erased",
            Route::Passkeys => "A client's passkeys, the oldest first",
            Route::PasskeyKeys => "The names of a client's keys, the oldest first",
            Route::PasskeyStatus => "How far a client has come with the enclave",
            Route::BeginRegistration => "Begin to register a passkey",
            Route::FinishRegistration => "Register a passkey, and perhaps write a key by it",
            Route::BeginLogin => "Begin to ask a passkey",
            Route::ReadKey => "Have a key released to the passkey that confirmed",
            Route::WriteKey => "Write a key, for the passkey that confirmed",
            Route::DeleteKey => "Delete a key, for all passkeys",
            Route::GrantKeys => "Give another passkey all keys of the one that confirmed",
            Route::RenamePasskey => "Give a passkey another name",
            Route::RemovePasskey => "Remove a passkey",
            Route::RelatedOrigins => "Which origins may use the passkeys of this domain",
        }
    }

    fn tag(&self) -> &'static str {
        match self.0.asker() {
            Asker::Anybody => "service",
            Asker::Custodian => "custodian",
            Asker::Client if self.0.is_enclaves() => "enclave",
            Asker::Client if self.0.is_portals() => "portal",
            Asker::Client | Asker::Device => "device",
        }
    }

    fn parameters(&self) -> Vec<Value> {
        let names = self
            .0
            .path()
            .split('/')
            .filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')));
        let parameters = names.map(|name| {
            let pattern = if name == "session" { "^[0-9a-f]{64}$" } else { "^[!-~]{1,128}$" };
            let schema = json!({ "type": "string", "pattern": pattern });
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        });
        parameters.chain(self.query()).collect()
    }

    fn query(&self) -> Vec<Value> {
        let Route::Clients = self.0 else { return Vec::new() };
        let take = json!({ "type": "integer", "minimum": 1, "maximum": compat::MOST_CLIENTS });
        let cursor = json!({ "type": "string", "pattern": "^[!-~]{1,128}$" });
        let parameters = [
            ("cursor", cursor, "The client after which to begin: the oldest comes first."),
            ("take", take, "How many; as many as there may be on a page, if it is not said."),
        ];
        let parameters = parameters.map(|(name, schema, description)| {
            let place = "query";
            json!({ "name": name, "in": place, "description": description, "schema": schema })
        });
        parameters.into()
    }

    fn security(&self) -> Value {
        match self.0.asker() {
            Asker::Anybody => json!([]),
            Asker::Custodian => json!([{ "custodianKey": [] }]),
            Asker::Client => json!([{ "clientKey": [] }]),
            Asker::Device => {
                json!([{ "clientKey": [], "deviceSignature": [], "contentDigest": [] }])
            }
        }
    }

    fn body(&self, body: Body, types: &mut Types) -> Value {
        let schema = match self.0 {
            Route::FirstPost => head(&types.read::<FirstPost>()),
            Route::SecondPost => head(&types.read::<Nothing>()),
            Route::StoreEnvelope => json!({ "type": "string", "maxLength": body.max_len }),
            Route::Commit => types.read::<Commit>(),
            Route::DropPending => types.read::<Nothing>(),
            Route::Revoke => types.read::<Revocations>(),
            Route::CreateClient => types.read::<CreateClient>(),
            Route::StoreCipherText => types.read::<compat::StoreCipherText>(),
            Route::BackupPairNotice => types.read::<compat::BackupPairNotice>(),
            Route::SigningPairNotice => types.read::<compat::SigningPairNotice>(),
            Route::StoredShare | Route::StoredShareV1 | Route::StoredKey => {
                types.read::<compat::StoredNotice>()
            }
            Route::Identify => types.read::<compat::Identify>(),
            Route::Track => types.read::<compat::Track>(),
            Route::PrepareEject => types.read::<compat::PrepareEject>(),
            Route::Ejected => types.read::<compat::Ejected>(),
            Route::EnableEject => types.read::<compat::EnableEject>(),
            Route::RegisterWebhook | Route::RegisterWebhookShort => {
                types.read::<webhook::RegisterWebhook>()
            }
            Route::ErasedPairs => types.read::<webhook::ErasedPairs>(),
            route if route.is_enclaves() => enclave::body(route),
            // Whatever a client of Portal's says here.
            _ => json!({ "type": "object" }),
        };
        json!({
            "required": body.is_required,
            "description": format!("At most {} bytes.", body.max_len),
            "content": { body.media_type: { "schema": schema } },
        })
    }

    fn answers(&self, types: &mut Types) -> Value {
        let mut answers = Map::new();
        let (status, success) = match self.content(types) {
            Some((media_type, schema)) => {
                let content = json!({ media_type: { "schema": schema } });
                ("200", json!({ "description": "It is done.", "content": content }))
            }
            None => ("204", json!({ "description": "It is done." })),
        };
        answers.insert(status.to_owned(), with_headers(success, status));
        for (status, ids) in self.refusals() {
            let refusal = refusal(&types.written::<ErrorBody>(), &ids);
            let name = format!("{status}.{}", ids.into_iter().collect::<Vec<_>>().join("."));
            let shared = types.refusal(name, with_headers(refusal, &status));
            answers.insert(status, shared);
        }
        answers.into()
    }

    /// The media type and the schema of what it answers when it is done, if that says anything.
    fn content(&self, types: &mut Types) -> Option<(&'static str, Value)> {
        let schema = match self.0 {
            Route::FirstPost => {
                return Some((MEDIA_TYPE, head(&types.written::<FirstReply>())));
            }
            Route::SecondPost => return Some((MEDIA_TYPE, head(&types.written::<Nothing>()))),
            Route::Envelope => return Some(("text/plain", json!({ "type": "string" }))),
            Route::StoreEnvelope
            | Route::DropPending
            | Route::Revoke
            | Route::BackupPairNotice
            | Route::SigningPairNotice
            | Route::StoredShare
            | Route::StoredShareV1
            | Route::StoredKey
            | Route::EndClientSessions
            | Route::ErasedPairs
            | Route::Ejected
            | Route::DeleteKey
            | Route::GrantKeys
            | Route::RenamePasskey
            | Route::RemovePasskey => return None,
            Route::Health | Route::Ready => types.written::<Health>(),
            Route::Description => json!({ "type": "object" }),
            Route::CreateClient => types.written::<CreatedClient>(),
            Route::Client => types.written::<ClientView>(),
            Route::Commit => types.written::<BackupSetView>(),
            Route::ClientObject | Route::ClientOfCustodian => {
                types.written::<compat::ClientObject>()
            }
            Route::BackupPairs => types.written::<Vec<compat::BackupPairObject>>(),
            Route::SigningPairs => types.written::<Vec<compat::SigningPairObject>>(),
            Route::StoreCipherText => types.written::<Nothing>(),
            Route::CipherText => types.written::<compat::CipherText>(),
            Route::Identify | Route::Track => types.written::<compat::Dropped>(),
            Route::Clients => types.written::<compat::ClientObjects>(),
            Route::PrepareEject => types.written::<compat::PreparedEject>(),
            Route::EjectableShares | Route::EjectableSharesOfCustodian => {
                types.written::<compat::EjectableShares>()
            }
            Route::EnableEject => types.written::<compat::EjectEnabled>(),
            Route::RegisterWebhook | Route::RegisterWebhookShort | Route::Webhook => {
                types.written::<webhook::WebhookView>()
            }
            Route::CreateClientSession | Route::CreateClientSessionV1 => {
                types.written::<ClientSession>()
            }
            Route::Passkeys
            | Route::PasskeyKeys
            | Route::PasskeyStatus
            | Route::BeginRegistration
            | Route::FinishRegistration
            | Route::BeginLogin
            | Route::ReadKey
            | Route::WriteKey
            | Route::RelatedOrigins => enclave::answer(self.0),
        };
        Some(("application/json", schema))
    }

    fn refusals(&self) -> BTreeMap<String, BTreeSet<&'static str>> {
        self.0.refusals().fold(BTreeMap::new(), |mut by_status, (status, id)| {
            let ids: &mut BTreeSet<_> = by_status.entry(status.to_string()).or_default();
            ids.insert(id.as_str());
            by_status
        })
    }
}

/// The binary body of a session (`docs/service.md`), which has a head in JSON.
fn head(head: &Value) -> Value {
    json!({
        "description": "A secret (posts only), the length of the head, the head, and a message.",
        "contentMediaType": MEDIA_TYPE,
        "x-head": head,
    })
}

/// An error of one of these kinds.
fn refusal(shape: &Value, ids: &BTreeSet<&str>) -> Value {
    let id = json!({ "properties": { "id": { "enum": ids } } });
    let schema = json!({ "allOf": [shape, { "properties": { "error": id } }] });
    let named: Vec<_> = ids.iter().map(|id| format!("`{id}`")).collect();
    let content = json!({ "application/json": { "schema": schema } });
    json!({ "description": format!("{}.", named.join(", ")), "content": content })
}

fn with_headers(mut answer: Value, status: &str) -> Value {
    let header = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
    answer["headers"] = json!({ "X-Portal-Trace-Id": header("TraceId") });
    match status {
        "401" => answer["headers"]["WWW-Authenticate"] = header("Authenticate"),
        "429" | "503" => answer["headers"]["Retry-After"] = header("RetryAfter"),
        _ => {}
    }
    answer
}
