//! The XML of AWS's query protocol.

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};

/// The elements whose text is read. All others are read for the elements in them.
const WITH_TEXT: [&str; 10] = [
    "Code",
    "Message",
    "OutputKey",
    "OutputValue",
    "ParameterKey",
    "ParameterValue",
    "StackName",
    "StackStatus",
    "Sum",
    "TemplateBody",
];

/// An element of a document.
#[derive(Debug, Default)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Self>,
}

impl Element {
    /// Reads a document. What is not XML has no elements.
    pub(crate) fn read(document: &str) -> Self {
        let mut document = Document::new(document);
        document.root_element().map_or_else(|_| Self::default(), |mut root| Self::of(&mut root))
    }

    fn of(scope: &mut ScopedDecoder<'_, '_>) -> Self {
        let name = scope.start_el().local().to_owned();
        if WITH_TEXT.contains(&&*name) {
            let text = try_data(scope).unwrap_or_default().into_owned();
            return Self { name, text, children: Vec::new() };
        }
        let mut children = Vec::new();
        while let Some(mut child) = scope.next_tag() {
            children.push(Self::of(&mut child));
        }
        Self { name, text: String::new(), children }
    }

    /// Returns the first element of this name, at any depth.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        self.children
            .iter()
            .find_map(|child| if child.name == name { Some(child) } else { child.find(name) })
    }

    /// Returns the text of the first element of this name, at any depth.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.find(name).map(|element| element.text.as_str())
    }

    /// Returns the members of the first list of this name.
    pub(crate) fn members(&self, list: &str) -> &[Self] {
        self.find(list).map_or(&[], |list| &list.children)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_their_members_and_texts_are_unescaped() {
        let xml = "<?xml version=\"1.0\"?><R xmlns=\"http://x/\"><Result><Stacks><member>\
            <StackName>shop</StackName><Outputs>\
            <member><Description>a</Description><OutputValue>https://a/?b&amp;c</OutputValue><OutputKey>ApiUrl</OutputKey></member>\
            <member><OutputKey>Empty</OutputKey><OutputValue/></member>\
            </Outputs></member></Stacks></Result></R>";
        let found = Element::read(xml);
        let outputs: Vec<_> = found
            .members("Outputs")
            .iter()
            .map(|output| (output.text("OutputKey"), output.text("OutputValue")))
            .collect();
        assert_eq!(found.text("StackName"), Some("shop"));
        assert_eq!(outputs, [(Some("ApiUrl"), Some("https://a/?b&c")), (Some("Empty"), Some(""))]);
        assert_eq!(Element::read("not XML").text("StackName"), None);
        assert!(Element::read("").members("Outputs").is_empty());
    }
}
