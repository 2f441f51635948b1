//! A project's name, and the forms in which it is written.

use std::collections::BTreeSet;

/// A name that is valid for Cargo packages, binaries, stacks, buckets, tables and URNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

/// A table's name has at least 3 characters, and a URN's at most 32. The maximum leaves room for suffixes:
/// CloudFormation truncates long stack names in the names of functions.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=24;

/// Cargo's own folders in `target`, the compiler's crates, keywords, and what EventBridge keeps for AWS: event sources
/// that begin with `aws.`.
const RESERVED: &str = "\
    abstract alloc async await aws become box break build const continue core crate deps dyn \
    else enum examples extern false final for gen impl incremental let loop macro match mod \
    move mut override priv proc-macro pub ref return self static std struct super test trait \
    true try type typeof unsafe unsized use virtual where while xtask yield";

impl Name {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let is_valid =
            text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
                && text.starts_with(|c: char| c.is_ascii_lowercase())
                && !text.ends_with('-')
                && !text.contains("--");
        if !is_valid {
            return Err(format!(
                "{text:?}: a name consists of lower-case letters, digits and single hyphens, and starts with a letter"
            ));
        }
        if !LENGTH.contains(&text.len()) {
            return Err(format!(
                "{text:?}: a name has {} to {} characters",
                LENGTH.start(),
                LENGTH.end()
            ));
        }
        // URN namespaces with these prefixes are registered or experimental (RFC 8141, section 5).
        if RESERVED.split(' ').any(|word| word == text)
            || text.starts_with("urn-")
            || text.starts_with("x-")
        {
            return Err(format!(
                "{text:?} is reserved by Rust, Cargo, AWS, this repository or the URN registry"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    fn kebab(&self) -> &str {
        &self.0
    }

    fn snake(&self) -> String {
        self.0.replace('-', "_")
    }

    fn upper(&self) -> String {
        self.snake().to_ascii_uppercase()
    }

    /// Returns the form for headings.
    fn title(&self) -> String {
        let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
        self.0.split('-').map(capital).collect::<Vec<_>>().join(" ")
    }
}

/// The old and the new name.
pub(crate) struct Names {
    old: Name,
    new: Name,
    kept: &'static str,
    /// Pairs of old and new forms. The first match is used.
    forms: Vec<(String, String)>,
}

impl Names {
    pub(crate) fn new(old: Name, new: Name, kept: &'static str) -> Self {
        let mut forms = vec![
            // In Rust, a name with a suffix is an identifier. By itself, it is text or a binary's name.
            (format!("{}_", old.snake()), format!("{}_", new.snake())),
            (old.kebab().to_owned(), new.kebab().to_owned()),
            (old.snake(), new.snake()),
            (old.upper(), new.upper()),
            (old.title(), new.title()),
        ];
        forms.retain(|(old, new)| old != new);
        Self { old, new, kept, forms }
    }

    /// Replaces the old name with the new one. Parts of longer words are not changed.
    pub(crate) fn replace(&self, text: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = ' ';
        while let Some(next) = rest.chars().next() {
            let form = (!before.is_ascii_alphanumeric() && !rest.starts_with(self.kept))
                .then(|| self.forms.iter().find(|(old, _)| is_word(rest, old)))
                .flatten();
            let (taken, put) = match form {
                Some((old, new)) => (old.len(), new.as_str()),
                None => (next.len_utf8(), &rest[..next.len_utf8()]),
            };
            replaced.push_str(put);
            before = rest[..taken].chars().next_back().unwrap_or(' ');
            rest = &rest[taken..];
        }
        replaced
    }

    /// Returns a package whose name would clash, at least as a Rust identifier, with a renamed one.
    pub(crate) fn collision<'a>(&self, packages: &BTreeSet<&'a str>) -> Option<&'a str> {
        let ident = |package: &str| package.replace('-', "_");
        let ours = |package: &&str| {
            *package == self.old.kebab() || package.starts_with(&format!("{}-", self.old.kebab()))
        };
        let mut renamed: BTreeSet<String> = packages
            .iter()
            .filter(|package| ours(package))
            .map(|ours| ident(&self.replace(ours)))
            .collect();
        renamed.insert(self.new.snake());
        packages
            .iter()
            .copied()
            .filter(|package| !ours(package))
            .find(|package| renamed.contains(&ident(package)))
    }

    /// Whether the new name occurs in the text. Renaming the project again would change that, too.
    pub(crate) fn occurs_in(&self, text: &str) -> bool {
        let new = self.new.kebab();
        text.match_indices(new).any(|(at, _)| {
            !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) && is_word(&text[at..], new)
        })
    }

    /// Describes what was done, and which changes others can see.
    pub(crate) fn summary(&self, files: u32) -> String {
        let (old, new) = (self.old.kebab(), self.new.kebab());
        let (old_upper, new_upper) = (self.old.upper(), self.new.upper());
        let kept = self.kept;
        format!(
            "\n{files} files now say {new} instead of {old}. Changed for clients, subscribers and operators:\n\
             \x20 problem types             urn:{new}:problem:…\n\
             \x20 event source              {new}.orders\n\
             \x20 issuer of access tokens   {new} (also their audience)\n\
             \x20 default stack, S3 prefix  {new} (samconfig.toml, .github/deploy-role.yaml)\n\
             \x20 programs                  {new}, {new}-ops, {new}-migrate\n\
             \x20 local table, bus, folder  {new}, {new}, .{new}/ (delete .{old}/)\n\
             \x20 test variables            {new_upper}_… instead of {old_upper}_…\n\
             The demo users' password is still {kept}.\n\
             Next: read `git diff`, run `cargo xtask check`, commit."
        )
    }
}

/// Returns whether the text begins with this word.
fn is_word(text: &str, word: &str) -> bool {
    let goes_on =
        |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.strip_prefix(word).is_some_and(|rest| word.ends_with('_') || !goes_on(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(old: &str, new: &str) -> Names {
        Names::new(Name::parse(old).unwrap(), Name::parse(new).unwrap(), "acorn-demo")
    }

    #[test]
    fn packages_and_text_keep_hyphens_but_identifiers_use_underscores() {
        let names = names("acorn", "my-shop");
        for (old, new) in [
            ("acorn", "my-shop"),
            ("acorn-core.workspace = true", "my-shop-core.workspace = true"),
            ("use acorn_core::Error;", "use my_shop_core::Error;"),
            ("env!(\"CARGO_BIN_EXE_acorn\")", "env!(\"CARGO_BIN_EXE_my-shop\")"),
            ("const ACORN: &str = \"acorn\";", "const MY_SHOP: &str = \"my-shop\";"),
            ("ACORN_TEST_LOGS", "MY_SHOP_TEST_LOGS"),
            ("urn:acorn:problem:internal", "urn:my-shop:problem:internal"),
            (
                "\"acorn.orders\" .acorn/ 's3://x/acorn/'",
                "\"my-shop.orders\" .my-shop/ 's3://x/my-shop/'",
            ),
            ("# Acorn", "# My Shop"),
            ("the password acorn-demo", "the password acorn-demo"),
            ("acorns, popacorn, Acornelius", "acorns, popacorn, Acornelius"),
            ("…acorn…", "…my-shop…"),
        ] {
            assert_eq!(names.replace(old), new);
        }
    }

    #[test]
    fn a_renamed_project_can_be_renamed_again() {
        let (there, back) = (names("acorn", "my-shop"), names("my-shop", "acorn"));
        let text = "acorn acorn-core acorn_core ACORN_X Acorn .acorn CARGO_BIN_EXE_acorn";
        assert_eq!(back.replace(&there.replace(text)), text);
    }

    #[test]
    fn a_name_is_valid_for_cargo_rust_dynamodb_s3_and_urns() {
        for valid in ["bookshop", "my-shop", "shop2", "a1-b2-c3"] {
            assert!(Name::parse(valid).is_ok(), "{valid}");
        }
        let too_long = "a".repeat(25);
        for invalid in [
            "", "ab", &too_long, "Shop", "my_shop", "my shop", "2shop", "-shop", "shop-",
            "my--shop", "shöp", "shop.x", "match", "test", "deps", "xtask", "urn-shop", "x-shop",
            "aws",
        ] {
            assert!(Name::parse(invalid).is_err(), "{invalid:?}");
        }
    }

    #[test]
    fn a_name_that_is_a_word_of_the_text_already_is_found() {
        let names = names("acorn", "shop");
        for text in ["a shop", "tests/shop.rs", "shop_table"] {
            assert!(names.occurs_in(text), "{text}");
        }
        for text in ["Shop", "bookshop", "shops", ""] {
            assert!(!names.occurs_in(text), "{text}");
        }
    }

    #[test]
    fn a_name_that_clashes_with_a_dependency_is_found() {
        let packages =
            BTreeSet::from(["acorn-http", "acorn-core", "tower-http", "lambda_http", "serde"]);
        assert_eq!(names("acorn", "tower").collision(&packages), Some("tower-http"));
        assert_eq!(names("acorn", "lambda").collision(&packages), Some("lambda_http"));
        assert_eq!(names("acorn", "serde").collision(&packages), Some("serde"));
        assert_eq!(names("acorn", "bookshop").collision(&packages), None);
    }
}
