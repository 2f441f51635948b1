//! Files for DynamoDB's import.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use crate::generate::Example;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use flate2::read::GzDecoder;
use serde_json::Value;
use storefront_core::aws;

use crate::load::{Move, Said};

impl Move {
    fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    fn import(&self, more: &[&str]) -> tokio::process::Command {
        let files = self.files();
        let mut command = self.command(more);
        command.arg("--to").arg("import").arg(files);
        command
    }

    async fn imported(&self, more: &[&str]) -> Said {
        Said::of(self.import(more).output().await.unwrap())
    }
}

/// Returns the item of each line by its key, and the names of the files.
fn read(folder: &Path) -> (BTreeMap<String, Value>, Vec<String>) {
    let mut items = BTreeMap::new();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.join("data")).unwrap() {
        let path = entry.unwrap().path();
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        for line in BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines() {
            let mut line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let item = line["Item"].take();
            let key = format!("{} {}", item["PK"]["S"], item["SK"]["S"]);
            assert!(items.insert(key, item).is_none(), "an item is there twice");
        }
    }
    names.sort();
    (items, names)
}

/// Returns the items in the table, as they are in the files.
fn in_table(shop: &Move) -> BTreeMap<String, Value> {
    let items = shop.dynamodb.items().into_iter().map(|item| {
        let item = serde_json::to_value(serde_dynamo::Item::from(item)).unwrap();
        (format!("{} {}", item["PK"]["S"], item["SK"]["S"]), item)
    });
    items.collect()
}

#[tokio::test]
async fn files_for_an_import_have_the_items_that_a_load_writes() {
    let shop = Move::of(Example::UuidKeys, 400, 60).await;
    let said = shop.imported(&["--file-bytes", "50000"]).await.expect(3);
    let (items, names) = read(&shop.files());
    assert!(names.len() > 3 && names[0] == "items-00001.json.gz", "{names:?}");

    let manifest = fs::read(shop.files().join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["items"], items.len());
    let listed = manifest["files"].as_array().unwrap();
    let of_files = listed.iter().map(|file| file["items"].as_u64().unwrap()).sum::<u64>();
    assert_eq!((listed.len(), of_files), (names.len(), items.len() as u64));

    let rejects = shop.rejects("rejects.jsonl");
    fs::remove_dir_all(shop.state()).unwrap();
    let loaded = shop.load(&[]).await.expect(3);
    assert!(in_table(&shop) == items, "{}{}", said.text, loaded.text);
    assert_eq!(shop.rejects("rejects.jsonl"), rejects);
}

#[tokio::test]
async fn incomplete_files_are_written_again() {
    let shop = Move::of(Example::IntegerKeys, 6_000, 60).await;
    let bytes = ["--file-bytes", "20000"];
    for files in [2, 40] {
        let mut child = shop.import(&bytes).spawn().unwrap();
        let mut looks = tokio::time::interval(std::time::Duration::from_millis(5));
        let count = || fs::read_dir(shop.files().join("data")).map_or(0, Iterator::count);
        while count() < files {
            assert!(child.try_wait().unwrap().is_none(), "the load ended by itself");
            looks.tick().await;
        }
        child.kill().await.unwrap();
    }
    shop.imported(&bytes).await.expect(3);
    let (items, names) = read(&shop.files());
    assert!(names.iter().all(|name| name.ends_with(".json.gz")), "{names:?}");
    let (expected, rejected) = shop.expected().await;
    assert_eq!((items.len(), shop.rejects("rejects.jsonl").len()), (expected.len(), rejected));
    let once = shop.again().await;
    once.imported(&bytes).await.expect(3);
    assert!(read(&once.files()).0 == items);
}

#[tokio::test]
async fn an_imported_table_can_catch_up() {
    let shop = Move::of(Example::IntegerKeys, 60, 0).await;
    shop.imported(&[]).await.expect(0);
    let change = "first_name = 'Eva', updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')";
    shop.execute(&format!("UPDATE customers SET {change} WHERE id = 2")).await;

    let said = shop.load(&["--catch-up"]).await.expect(1);
    assert!(said.error.contains("import the files into it first"), "{}", said.error);

    // As DynamoDB does.
    let client =
        aws::dynamodb(&aws::patient_emulator_config(), Some(shop.proxy.endpoint_url().to_owned()));
    let puts = read(&shop.files()).0.into_values().map(|item| {
        let item: serde_dynamo::Item = serde_json::from_value(item).unwrap();
        let put = PutRequest::builder().set_item(Some(item.into())).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    });
    for puts in puts.collect::<Vec<_>>().chunks(25) {
        let write = client.batch_write_item();
        let write = write.request_items(shop.dynamodb.table_name(), puts.to_vec());
        assert!(write.send().await.unwrap().unprocessed_items.is_none_or(|left| left.is_empty()));
    }
    for _ in 0..2 {
        let said = shop.load(&["--catch-up"]).await.expect(0);
        assert!(said.text.contains("1 users, 0 products, 0 orders"), "{}", said.text);
        assert!(shop.items() == shop.expected().await.0);
    }
}

#[tokio::test]
async fn a_folder_with_other_files_is_left_alone() {
    let shop = Move::of(Example::IntegerKeys, 10, 0).await;
    fs::create_dir_all(shop.files().join("data")).unwrap();
    fs::write(shop.files().join("data/else"), "").unwrap();
    let said = shop.imported(&[]).await.expect(1);
    assert!(said.error.contains("is not empty, and no load with this state folder filled it"));
    assert!(shop.files().join("data/else").exists());
}
