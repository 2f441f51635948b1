//! `events/schemas/`: a JSON Schema of each kind of event, generated from the types.
//!
//! Only tests use this module, so that functions do not link the generator.

mod released;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use storefront_core::{CancelReason, OrderStatus, Payment};

use crate::Event;

/// Returns the schemas by file name.
fn generated() -> BTreeMap<String, String> {
    // Without references, so that each file stands alone.
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let events = settings.into_generator().into_root_schema_for::<Event>().to_value();
    let kinds = events["oneOf"].as_array().expect("a schema for each kind of event");
    kinds.iter().map(of_one_kind).collect()
}

/// Returns the file name and the schema of one kind's `detail`.
fn of_one_kind(event: &Value) -> (String, String) {
    let kind = event["properties"]["detail-type"]["const"].as_str().expect("a kind");
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind,
    });
    let detail = event["properties"]["detail"].as_object().expect("a schema of the detail");
    schema.as_object_mut().expect("an object").extend(detail.clone());
    (format!("{kind}.json"), format!("{schema:#}\n"))
}

/// The folder at the top of the repository.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/schemas")
}

/// Reads the schemas in a folder, by file name.
fn checked_in(folder: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut schemas = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            schemas.insert(name, fs::read_to_string(entry.path())?);
        }
    }
    Ok(schemas)
}

#[test]
fn the_schemas_are_those_of_the_types() {
    let folder = folder();
    if env::var_os("UPDATE_EXPECTED").is_some() {
        for name in checked_in(&folder).unwrap().keys() {
            fs::remove_file(folder.join(name)).unwrap();
        }
        for (name, schema) in generated() {
            fs::write(folder.join(name), schema).unwrap();
        }
    }
    assert!(
        checked_in(&folder).unwrap() == generated(),
        "events/schemas is stale: run `cargo xtask schemas`"
    );
}

pub(crate) fn event_id(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[0-9a-f-]{36}:[1-9][0-9]*$" })
}

pub(crate) fn id(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "uuid" })
}

pub(crate) fn order_status(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": OrderStatus::ALL })
}

pub(crate) fn number(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": 64 })
}

pub(crate) fn payment(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": Payment::ALL })
}

pub(crate) fn cancel_reason(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": CancelReason::ALL })
}

pub(crate) fn tracking(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {
            "carrier": { "type": "string", "description": "Who carries the parcel." },
            "number": { "type": "string", "description": "The carrier's number of the parcel." },
            "url": { "type": "string", "description": "A page that shows where the parcel is." },
        },
        "required": ["number"],
    })
}

pub(crate) fn currency(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$" })
}

pub(crate) fn timestamp(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

pub(crate) fn request_id(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": 64 })
}
