//! The schemas of what is read and written, and the refusals, each once.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The schemas that were asked for so far.
pub(super) struct Types {
    read: SchemaGenerator,
    written: SchemaGenerator,
    refusals: Map<String, Value>,
}

impl Types {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            read: settings.clone().for_deserialize().into_generator(),
            written: settings.for_serialize().into_generator(),
            refusals: Map::new(),
        }
    }

    /// What the service reads.
    pub(super) fn read<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().into()
    }

    /// What it writes.
    pub(super) fn written<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().into()
    }

    /// A refusal that several routes have, by a name that says which it is.
    pub(super) fn refusal(&mut self, name: String, refusal: Value) -> Value {
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        self.refusals.insert(name, refusal);
        reference
    }

    /// All refusals, by their names.
    pub(super) fn refusals(&self) -> Map<String, Value> {
        self.refusals.clone()
    }

    /// All schemas, by their names.
    pub(super) fn schemas(mut self) -> Map<String, Value> {
        let mut schemas = self.written.take_definitions(true);
        for (name, schema) in self.read.take_definitions(true) {
            let known = schemas.insert(name.clone(), schema.clone());
            assert!(known.is_none_or(|known| known == schema), "{name} is read as another type");
        }
        schemas
    }
}
