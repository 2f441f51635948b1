//! Ids that are the same each time the same row is read.

use sha2::{Digest as _, Sha256};
use storefront_core::Timestamp;
use uuid::Uuid;

use super::Entity;

/// Returns the source's id if it is one that the shop accepts, otherwise one derived from the time
/// and the key.
///
/// The part after the time is a hash. So a row yields the same id whenever and wherever it is read,
/// and two keys of the same millisecond do not collide.
pub(super) fn id<T: TryFrom<Uuid>>(entity: Entity, legacy_id: &str, time: Timestamp) -> Option<T> {
    match own(legacy_id) {
        Some(own) => Some(own),
        None => made(entity, legacy_id, time),
    }
}

/// Returns the source's id if it has the shop's format, `UUIDv7`.
pub(super) fn own<T: TryFrom<Uuid>>(legacy_id: &str) -> Option<T> {
    legacy_id.parse::<Uuid>().ok()?.try_into().ok()
}

/// Derives an id from the time and the key. Returns `None` for a time before 1970.
fn made<T: TryFrom<Uuid>>(entity: Entity, legacy_id: &str, time: Timestamp) -> Option<T> {
    let hash = Sha256::new()
        .chain_update(entity.section())
        .chain_update([0])
        .chain_update(legacy_id)
        .finalize();
    let mut rest = [0; 10];
    rest.copy_from_slice(&hash[..10]);
    let millis = u64::try_from(time.as_millis()).ok()?;
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid().try_into().ok()
}

#[cfg(test)]
mod tests {
    use storefront_core::{OrderId, ProductId, UserId};

    use super::*;

    const NOON: &str = "2019-05-04T12:00:00.123Z";

    #[test]
    fn an_id_is_derived_from_the_time_and_the_key_and_never_changes() {
        let time: Timestamp = NOON.parse().unwrap();
        let made: OrderId = id(Entity::Order, "17", time).unwrap();
        assert_eq!(made.created_at(), time);
        // A constant, because later versions of this program must derive the same id.
        assert_eq!(made.to_string(), "016a82b7-1e7b-7136-af23-03757b7f533a");
    }

    #[test]
    fn the_same_key_yields_a_different_id_for_another_entity() {
        let time: Timestamp = NOON.parse().unwrap();
        let user: UserId = id(Entity::User, "17", time).unwrap();
        let product: ProductId = id(Entity::Product, "17", time).unwrap();
        assert_ne!(Uuid::from(user), Uuid::from(product));
    }

    #[test]
    fn only_an_id_of_version_7_is_kept() {
        let time: Timestamp = NOON.parse().unwrap();
        let own = "01930000-0000-7000-8000-000000000201";
        let kept: OrderId = id(Entity::Order, own, time).unwrap();
        assert_eq!(kept.to_string(), own);
        let random = "9b2f6f0e-5f0a-4c3f-9d7e-0a4a3c1d2e3f";
        let made: OrderId = id(Entity::Order, random, time).unwrap();
        assert_eq!(made.created_at(), time);
    }

    #[test]
    fn there_is_no_id_before_1970() {
        let time: Timestamp = "1969-12-31T23:59:59.999Z".parse().unwrap();
        assert_eq!(id::<UserId>(Entity::User, "17", time), None);
    }
}
