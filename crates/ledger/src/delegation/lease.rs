//! Proof of holding the present attempt: a fencing number, sealed so that it is checked without a read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::id::DelegationId;

/// A number that only ever grows over the hand-outs of one delegation; 0 before the first. It begins at the moment of
/// the delegation's creation, in milliseconds: so it is beyond all that an earlier one of the same id left behind.
pub type Epoch = i64;

/// Bytes of the seal inside a lease.
const SEAL_BYTES: usize = 16;

/// The ledger's secret: made once, kept in the store.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn seal(&self, id: &DelegationId, epoch: Epoch) -> [u8; SEAL_BYTES] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(&epoch.to_be_bytes());
        mac.update(id.as_str().as_bytes());
        let mut seal = [0; SEAL_BYTES];
        seal.copy_from_slice(&mac.finalize().into_bytes()[..SEAL_BYTES]);
        seal
    }

    /// The opaque token over this epoch of this delegation.
    #[must_use]
    pub fn issue(&self, id: &DelegationId, epoch: Epoch) -> String {
        let mut token = Vec::with_capacity(size_of::<Epoch>() + SEAL_BYTES);
        token.extend_from_slice(&epoch.to_be_bytes());
        token.extend_from_slice(&self.seal(id, epoch));
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The epoch that the token was issued over, if it was issued here and for this delegation.
    #[must_use]
    pub fn open(&self, id: &DelegationId, token: &str) -> Option<Epoch> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (epoch, seal) = bytes.split_first_chunk()?;
        let epoch = Epoch::from_be_bytes(*epoch);
        bool::from(seal.ct_eq(&self.seal(id, epoch))).then_some(epoch)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_opens_only_for_its_delegation_and_its_ledger() {
        let (ours, theirs) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let (one, two) = (DelegationId::new("one").unwrap(), DelegationId::new("two").unwrap());
        let token = ours.issue(&one, 7);
        assert_eq!(ours.open(&one, &token), Some(7));
        assert_eq!(ours.open(&two, &token), None);
        assert_eq!(theirs.open(&one, &token), None);
        for broken in ["", "x", "AAAA", &token[1..], &format!("{token}AA")] {
            assert_eq!(ours.open(&one, broken), None, "{broken}");
        }
    }
}
