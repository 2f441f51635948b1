//! The generated parts of README.md and docs/.
//!
//! A part is between `<!-- generated: NAME; cargo xtask docs -->` and `<!-- end generated -->`, and is
//! written from the same data that the code uses.

mod tables;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- generated: ";
const BEGIN_ENDS: &str = "; cargo xtask docs -->";
const END: &str = "<!-- end generated -->";

/// A part's name, and the function that writes it.
type Part = (&'static str, fn() -> String);

/// All parts. To add one, add it here, and put its markers into a document.
const PARTS: &[Part] = &[
    ("items", tables::items),
    ("access-patterns", tables::access_patterns),
    ("problems", tables::problems),
];

/// Why the documents could not be written or compared. Paths are relative to the root.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A document could not be read or written.
    #[error("{} could not be read or written", .path.display())]
    File {
        /// The document.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A marker names a part that does not exist.
    #[error("{}: unknown part `{name}`; the parts are {}", .path.display(), known())]
    UnknownPart {
        /// The document.
        path: PathBuf,
        /// The name in the marker.
        name: String,
    },
    /// A marker is malformed or has no end.
    #[error("{}: write `{BEGIN}NAME{BEGIN_ENDS}`, and `{END}` after the part", .0.display())]
    Marker(PathBuf),
}

/// Writes all generated parts, and returns the documents that changed, relative to `root`.
pub fn update(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut changed = Vec::new();
    for (path, text) in outdated(root)? {
        let written = fs::write(root.join(&path), text);
        written.map_err(|source| Error::File { path: path.clone(), source })?;
        changed.push(path);
    }
    Ok(changed)
}

/// Returns the documents that [`update`] would change.
pub fn check(root: &Path) -> Result<Vec<PathBuf>, Error> {
    Ok(outdated(root)?.into_iter().map(|(path, _)| path).collect())
}

/// Returns the parts that no document has.
pub fn missing(root: &Path) -> Result<Vec<&'static str>, Error> {
    let mut missing: Vec<_> = PARTS.iter().map(|(name, _)| *name).collect();
    for path in documents(root)? {
        let text = fs::read_to_string(root.join(&path));
        let text = text.map_err(|source| Error::File { path: path.clone(), source })?;
        missing.retain(|name| !text.contains(&format!("{BEGIN}{name}{BEGIN_ENDS}")));
    }
    Ok(missing)
}

/// Returns the documents whose generated parts are outdated, with their new text.
fn outdated(root: &Path) -> Result<Vec<(PathBuf, String)>, Error> {
    let mut outdated = Vec::new();
    for path in documents(root)? {
        let text = fs::read_to_string(root.join(&path));
        let text = text.map_err(|source| Error::File { path: path.clone(), source })?;
        let generated = generated(&path, &text)?;
        if generated != text {
            outdated.push((path, generated));
        }
    }
    Ok(outdated)
}

/// Returns the paths of README.md and docs/*.md, relative to the root.
fn documents(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let folder = Path::new("docs");
    let list = || -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(root.join(folder))?;
        entries.map(|entry| Ok(folder.join(entry?.file_name()))).collect()
    };
    let listed = list().map_err(|source| Error::File { path: folder.to_owned(), source })?;
    let is_markdown = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let mut documents: Vec<_> = listed.into_iter().filter(is_markdown).collect();
    documents.push("README.md".into());
    documents.sort();
    Ok(documents)
}

/// Returns a document's text with its parts updated.
fn generated(path: &Path, text: &str) -> Result<String, Error> {
    let wrong = || Error::Marker(path.to_owned());
    let mut result = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        result += line;
        let Some(marker) = line.trim_end().strip_prefix(BEGIN) else { continue };
        let name = marker.strip_suffix(BEGIN_ENDS).ok_or_else(wrong)?;
        let known = PARTS.iter().find(|(known, _)| *known == name);
        let (_, write) = known
            .ok_or_else(|| Error::UnknownPart { path: path.to_owned(), name: name.to_owned() })?;
        let next_marker = lines.find(|line| line.starts_with(BEGIN) || line.trim_end() == END);
        // Without this, a part without its end marker would swallow the next part.
        let end = next_marker.filter(|line| !line.starts_with(BEGIN)).ok_or_else(wrong)?;
        result.extend(["\n", &write(), "\n", end]);
    }
    Ok(result)
}

fn known() -> String {
    PARTS.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        generated(Path::new("docs/a.md"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_part_is_replaced_and_the_text_around_it_is_kept() {
        let table = tables::items();
        let document =
            |part: &str| format!("# A\n\n{BEGIN}items{BEGIN_ENDS}\n{part}{END}\n\nAnd more.\n");
        let expected = document(&format!("\n{table}\n"));
        assert_eq!(read(&document("old\n")), Ok(expected.clone()));
        assert_eq!(read(&expected), Ok(expected.clone()));
        let without = format!("A part begins with `{BEGIN}…`.\n");
        assert_eq!(read(&without), Ok(without.clone()));
    }

    #[test]
    fn the_error_for_a_wrong_marker_says_what_to_write() {
        let unknown = read(&format!("{BEGIN}nothing{BEGIN_ENDS}\n{END}")).unwrap_err();
        assert!(unknown.starts_with("docs/a.md: unknown part `nothing`; the parts are `items`, "));
        let begin = format!("{BEGIN}items{BEGIN_ENDS}");
        for wrong in [
            format!("{begin}\nno end"),
            format!("{begin}\nno end\n{begin}\n{END}\n"),
            format!("{BEGIN}items -->\n{END}\n"),
        ] {
            let error = read(&wrong).unwrap_err();
            assert!(
                error.contains("write `<!-- generated: NAME; cargo xtask docs -->`"),
                "{error}"
            );
        }
    }
}
