//! The size of a package is that of the uploaded zip.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::fs;

use storefront_bench::package::{Size, size};

#[test]
fn the_zipped_size_depends_on_how_well_a_file_compresses() {
    let folder = tempfile::tempdir().unwrap();
    let [zeros, noise] = ["zeros", "noise"].map(|name| folder.path().join(name));
    let mut random = fastrand::Rng::with_seed(7);
    let bytes: Vec<u8> = (0..100_000).map(|_| random.u8(..)).collect();
    fs::write(&zeros, vec![0; 100_000]).unwrap();
    fs::write(&noise, bytes).unwrap();

    let of = |path: &std::path::Path| size(&[(path.to_owned(), "bootstrap".to_owned())]).unwrap();
    assert_eq!(of(&zeros).bytes, 100_000);
    assert!(of(&zeros).zipped_bytes < 1_000, "{:?}", of(&zeros));
    let Size { bytes, zipped_bytes } = of(&noise);
    assert_eq!(bytes, 100_000);
    assert!((100_000..101_000).contains(&zipped_bytes), "{zipped_bytes}");
}

#[test]
fn all_files_of_a_package_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "some text").unwrap();
    let one = size(&[(path.clone(), "a".to_owned())]).unwrap();
    let two = size(&[(path.clone(), "a".to_owned()), (path, "b".to_owned())]).unwrap();
    assert_eq!(two.bytes, 2 * one.bytes);
    assert!(two.zipped_bytes > one.zipped_bytes);
}

#[test]
fn a_missing_file_is_an_error() {
    let missing = tempfile::tempdir().unwrap().path().join("bootstrap");
    assert!(size(&[(missing, "bootstrap".to_owned())]).is_err());
}
