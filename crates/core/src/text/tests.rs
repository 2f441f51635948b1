use super::*;

fn line(text: &str) -> Result<Name, InvalidText> {
    text.parse()
}

#[test]
fn one_name_has_one_spelling() {
    // Latin, Hangul, kana, Vietnamese, Devanagari and Thai, typed on two systems.
    for (composed, decomposed) in [
        ("José", "Jose\u{301}"),
        ("한글", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}"),
        ("ガギグ", "カ\u{3099}キ\u{3099}ク\u{3099}"),
        ("Nguyễn", "Nguye\u{302}\u{303}n"),
        ("ऩ", "न\u{93C}"),
        ("กำ", "กำ"),
    ] {
        let (composed, decomposed) = (line(composed).unwrap(), line(decomposed).unwrap());
        assert_eq!(composed, decomposed);
        assert_eq!(line(composed.as_str()).unwrap(), composed);
    }
}

#[test]
fn names_of_all_scripts_are_accepted() {
    for name in [
        "Ada Lovelace",
        "O'Neill-Ångström, Jr.",
        "علی\u{200C}رضا", // a ZWNJ between two letters that join
        "ශ්\u{200D}රී",     // a ZWJ that makes a conjunct
        "葛\u{E0100}城",  // the variant that the city of Katsuragi uses
        "👩\u{200D}👩\u{200D}👧 ❤\u{FE0F}\u{200D}🔥 1\u{FE0F}\u{20E3}",
        "山田\u{3000}太郎",
        "ישראל",
    ] {
        assert_eq!(line(name).unwrap().as_str(), name);
    }
}

#[test]
fn what_nobody_sees_is_refused() {
    for name in [
        "Ada\r\nBcc: victim@example.com",
        "Ada\u{2028}",
        "\u{200B}",
        "a\u{202E}b",
        "a\u{2066}b",
        "a\u{200F}",
        "a\u{AD}b",
        "\u{3164}",
        "\u{FEFF}Ada",
        "Ada\u{200D}", // a joiner in a script that has none
        "\u{200D}ශ",
        "علی\u{200C}\u{200C}\u{200C}رضا",
        "e\u{FE0F}\u{FE0F}",
        "\u{FE0F}",
        "🏴\u{E0067}\u{E007F}", // tags
        "a\0",
        "a\t",
    ] {
        let refused = line(name).unwrap_err();
        assert!(matches!(refused, InvalidText::Character(_)), "{name:?}: {refused}");
    }
    for blank in [" ", "\u{3000}", "\u{2800}"] {
        assert_eq!(line(blank), Err(InvalidText::Blank));
    }
    let message = line("a\u{202E}b").unwrap_err().to_string();
    assert!(message.contains("U+202E"), "{message}");
}

#[test]
fn a_length_counts_the_characters_of_the_normalised_text() {
    assert_eq!(line(""), Err(InvalidText::Length { max: 200, found: 0 }));
    assert!(line(&"e\u{301}".repeat(200)).is_ok());
    let found = 201;
    assert_eq!(line(&"é".repeat(found)), Err(InvalidText::Length { max: 200, found }));
    assert!("é".repeat(5000).parse::<Description>().is_ok());
    assert!("é".repeat(5001).parse::<Description>().is_err());
}

#[test]
fn a_text_of_lines_has_no_control_characters_except_tabs_and_line_ends() {
    let text = "Cafe\u{301}:\r\n\tdark \u{200F}שלום".parse::<Description>().unwrap();
    assert_eq!(text.as_str(), "Café:\r\n\tdark \u{200F}שלום");
    assert!("".parse::<Description>().unwrap().is_empty());
    assert_eq!("\n ".parse::<Description>(), Err(InvalidText::Blank));
    assert_eq!("a\u{85}".parse::<Description>(), Err(InvalidText::Control('\u{85}')));
}

#[test]
fn a_text_that_was_never_checked_is_tidied() {
    for (text, tidied) in [
        ("Ada\r\nBcc: victim@example.com", "Ada Bcc: victim@example.com"),
        ("\u{FEFF}Caf\u{AD}e\u{301}\t", "Café"),
        ("Ada\u{200D} a\u{202E}b", "Ada ab"),
        ("  Ada", "  Ada"),
    ] {
        assert_eq!(Name::tidied(text).unwrap().as_str(), tidied);
    }
    assert!(Name::tidied("\u{200B}\n").is_err());
}

#[test]
fn folding_leaves_out_what_people_do_not_tell_apart() {
    for (one, other) in [
        ("Café", "CAFE\u{301}"),
        ("Straße", "STRASSE"),
        ("ΟΔΟΣ", "οδος"),
        ("نوشیدنی\u{200C}ها", "نوشیدنیها"),
        ("1\u{FE0F}\u{20E3}", "1\u{20E3}"),
    ] {
        assert_eq!(folded(one), folded(other));
    }
    assert_ne!(folded("Cafe"), folded("Café"));
}

#[cfg(feature = "openapi")]
#[test]
fn the_patterns_refuse_what_the_types_refuse() {
    let regex = |pattern: String| regex_lite::Regex::new(&pattern).unwrap();
    let (line_pattern, lines_pattern) = (regex(line_pattern()), regex(lines_pattern()));
    let every = (0..=0x10_FFFF).step_by(61).filter_map(char::from_u32);
    let interesting =
        "\0\t\n\r a~\u{7F}\u{AD}\u{200B}\u{200D}\u{202E}\u{2800}\u{FE0F}\u{E0001}\u{E0100}";
    for c in every.chain(interesting.chars()) {
        for text in [format!("a{c}"), format!("ශ{c}{c}"), c.to_string()] {
            // Normalising can turn one into another.
            if nfc(&text) == text {
                assert_eq!(line_pattern.is_match(&text), line(&text).is_ok(), "{text:?}");
                let lines = text.parse::<Description>().is_ok();
                assert_eq!(lines_pattern.is_match(&text), lines, "{text:?}");
            }
        }
    }
}
