//! Several measurements of one thing: the median, and how far they lie apart.

use serde::Serialize;

/// What several measurements say together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of nothing, zero.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (values.first(), values.last()) else {
            return Self::default();
        };
        let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
        let median = f64::midpoint(values[low], values[high]);
        Self { median, least: *least, most: *most }
    }
}

/// What so many in a hundred do not exceed; of nothing, zero.
pub(crate) fn percentile(mut values: Vec<f64>, hundredths: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * hundredths).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 9.0]), Spread { median: 3.0, least: 1.0, most: 9.0 });
        assert_eq!(Spread::of(vec![4.0, 2.0]), Spread { median: 3.0, least: 2.0, most: 4.0 });
        assert_eq!(Spread::of(vec![]), Spread::default());
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        for (hundredths, value) in [(50, 100.0), (99, 198.0), (100, 200.0)] {
            assert!((percentile(values.clone(), hundredths) - value).abs() < f64::EPSILON);
        }
        assert!(percentile(vec![], 99).abs() < f64::EPSILON);
    }
}
