use std::collections::BTreeMap;
use std::str::FromStr;

use super::response::Response;
use super::script::{NONEXISTENT, Nth};

/// The model's users, products or orders: those that exist, and the ids of all that ever did.
#[derive(Clone)]
pub(crate) struct Collection<Id, T, const LETTER: char> {
    existing: BTreeMap<Id, T>,
    /// In the order of creation, so that scripts can name them by number.
    ids: Vec<Id>,
}

impl<Id: Copy + Ord + FromStr, T, const LETTER: char> Collection<Id, T, LETTER> {
    pub(crate) fn get(&self, id: Id) -> Option<&T> {
        self.existing.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        self.existing.get_mut(&id)
    }

    /// By id, which is by creation time.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (Id, &T)> {
        self.existing.iter().map(|(id, entity)| (*id, entity))
    }

    pub(crate) fn create(&mut self, id: Id, entity: T) {
        self.existing.insert(id, entity);
        self.ids.push(id);
    }

    pub(crate) fn remove(&mut self, id: Id) {
        self.existing.remove(&id);
    }

    /// The id that a script means. Numbers wrap around, so that a script still means something when
    /// shrinking removes the steps that created entities.
    pub(crate) fn nth(&self, nth: Nth<LETTER>) -> Id {
        let exists = nth.0 != NONEXISTENT && !self.ids.is_empty();
        if exists { self.ids[usize::from(nth.0) % self.ids.len()] } else { unused_id() }
    }

    /// Names all that ever existed.
    pub(crate) fn all(&self) -> impl Iterator<Item = Nth<LETTER>> {
        (0..self.ids.len()).filter_map(|number| u8::try_from(number).ok()).map(Nth)
    }

    /// The id in this answer, which the server chose. It must not have been used before.
    pub(crate) fn new_id(&self, actual: &Response) -> Id {
        let id = actual.body["id"].as_str().and_then(|id| id.parse().ok());
        id.filter(|id| !self.ids.contains(id)).unwrap_or_else(unused_id)
    }
}

impl<Id, T, const LETTER: char> Default for Collection<Id, T, LETTER> {
    fn default() -> Self {
        Self { existing: BTreeMap::new(), ids: Vec::new() }
    }
}

fn unused_id<Id: FromStr>() -> Id {
    let id = "01930000-0000-7000-8000-00000000dead".parse().ok();
    id.expect("a UUID of version 7")
}
