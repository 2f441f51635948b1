//! Goods received and shrinkage: changes of a product's stock by a number of pieces.

use fastrand::Rng;

use crate::idempotency::{self, KeyedRequest, Once};
use crate::stock::{self, Choice, MAX_STOCK, Pick, Stock};
use crate::transaction::{self, Attempt, Outcome};
use crate::{
    Error, IdempotencyKey, ProductId, ProductWithStock, Products, Result, Shortage, Timestamp,
    UserId, retry,
};

/// How often to try to put pieces into all items of a spread product in one transaction. If it sells
/// so fast that this conflicts, they go into one item, and from there to the others.
const TRIES_WITH_ALL: usize = 2;

/// How often to try to pass a share on to each of the other items. What cannot be passed on can be
/// sold all the same, but not as fast.
const ROUNDS: usize = 3;

/// A change that was made.
enum Made {
    /// By an earlier request with the same key.
    Before,
    Now,
    /// All pieces are in the item with this number, which has this many more than its share.
    InOne(u8, Vec<(u8, u64)>),
}

impl Products {
    /// Adds this many pieces to a product's stock, or takes them off if `change` is negative: once for
    /// each key of a user, whatever is sold meanwhile. Neither the product's version nor its
    /// `updated_at` changes.
    ///
    /// Rejects a product whose stock is not counted ([`Error::StockNotCounted`]), a change to below
    /// zero ([`Error::OutOfStock`]) or to more than [`MAX_STOCK`] ([`Error::StockTooLarge`]).
    pub async fn change_stock(
        &self,
        id: ProductId,
        change: i64,
        sender: Option<(UserId, IdempotencyKey)>,
    ) -> Result<Once<ProductWithStock>> {
        let keyed = sender
            .map(|(user_id, key)| KeyedRequest::new(user_id, key, "change a stock", &(id, change)));
        let keyed = keyed.transpose()?;
        let made = match self.make_change(id, change, keyed.as_ref()).await {
            Ok(made) => made,
            // The reason for the rejection may be that very change.
            Err(refusal) => match &keyed {
                Some(request) if refusal.may_be_of_earlier() => {
                    request.earlier_now::<ProductId>(&self.table).await?.ok_or(refusal)?;
                    Made::Before
                }
                _ => return Err(refusal),
            },
        };
        if let Made::InOne(number, shares) = &made {
            self.pass_on(id, *number, shares).await?;
        }
        let value = self.changed(id).await?.into();
        Ok(Once { value, replayed: matches!(made, Made::Before) })
    }

    async fn make_change(
        &self,
        id: ProductId,
        change: i64,
        keyed: Option<&KeyedRequest>,
    ) -> Result<Made> {
        let mut pauses = retry::pauses();
        let mut refused = None;
        for tries in 1.. {
            let now = Timestamp::now();
            let stock = self.whole_stock(id).await?;
            let (parts, made) = match parts(id, &stock, change, tries) {
                // Items are not read at one moment: pieces that are being moved may be seen in neither
                // of two items. So a change is rejected only if two reads agree.
                Err(_) if stock.spread() > 1 && refused.as_ref() != Some(&stock) => {
                    refused = Some(stock);
                    continue;
                }
                decided => decided?,
            };
            let mut actions = Vec::with_capacity(parts.len() + 1);
            for &(number, pieces) in &parts {
                actions.push(if change < 0 {
                    stock::take_out(&self.table, id, number, pieces)?
                } else {
                    stock::put_into(&self.table, id, number, pieces)?
                });
            }
            let record = actions.len();
            if let Some(request) = keyed {
                actions.push(request.action(&self.table, id, now)?);
            }
            match transaction::attempt(&self.table, actions).await? {
                Attempt::Decided(Outcome::Written) => return Ok(made),
                Attempt::Decided(Outcome::Cancelled(mut failed)) => {
                    let found = failed.remove(&record);
                    if idempotency::earlier::<ProductId>(keyed, found, now)?.is_some() {
                        return Ok(Made::Before);
                    }
                }
                Attempt::Conflict(_) => {}
            }
            if stock.spread() == 1 || tries >= TRIES_WITH_ALL {
                tokio::time::sleep(pauses.next().ok_or(Error::Contention)?).await;
            }
        }
        Err(Error::Contention)
    }

    /// Passes their shares on from the item that took in all pieces.
    async fn pass_on(&self, id: ProductId, from: u8, shares: &[(u8, u64)]) -> Result<()> {
        let mut left = shares.to_vec();
        left.retain(|(number, _)| *number != from);
        for _ in 0..ROUNDS {
            let mut conflicts = Vec::new();
            for (number, pieces) in left {
                let actions = vec![
                    stock::take_out(&self.table, id, from, pieces)?,
                    stock::put_into(&self.table, id, number, pieces)?,
                ];
                if let Attempt::Conflict(_) = transaction::attempt(&self.table, actions).await? {
                    conflicts.push((number, pieces));
                }
            }
            left = conflicts;
        }
        Ok(())
    }
}

/// Returns how many pieces of a change go into which items, or come out of them.
fn parts(
    id: ProductId,
    stock: &Stock,
    change: i64,
    tries: usize,
) -> Result<(Vec<(u8, u64)>, Made)> {
    let Some(quantities) = stock.quantities() else { return Err(Error::StockNotCounted) };
    let pieces = change.unsigned_abs();
    let mut pick = Pick::new(stock.spread(), Rng::new());
    if change < 0 {
        let parts = match pick.choose(&quantities, pieces) {
            Choice::Take => vec![(pick.number(), pieces)],
            Choice::Gather(mut others) => {
                let held = quantities[usize::from(pick.number())];
                others.push((pick.number(), held));
                others
            }
            Choice::Short(available) => {
                let shortage = Shortage { product_id: id, requested: pieces, available };
                return Err(Error::OutOfStock(vec![shortage]));
            }
        };
        return Ok((parts, Made::Now));
    }
    let total = quantities.iter().fold(pieces, |sum, quantity| sum.saturating_add(*quantity));
    if total > MAX_STOCK {
        return Err(Error::StockTooLarge { stock: total });
    }
    let mut shares: Vec<_> = (0..).zip(stock::split(pieces, stock.spread())).collect();
    shares.retain(|(_, pieces)| *pieces > 0);
    Ok(if stock.spread() == 1 || tries <= TRIES_WITH_ALL {
        (shares, Made::Now)
    } else {
        (vec![(pick.number(), pieces)], Made::InOne(pick.number(), shares))
    })
}
