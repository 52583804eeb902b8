//! Measures as Prometheus reads them: text, format 0.0.4.

use std::fmt;

use consign_ledger::query::{Measure, MeasureKind};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

pub(crate) use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

/// The beginning of every name.
const PREFIX: &str = "consign";

/// The text of these measures. Those of one name stand beside each other.
pub(crate) fn text(measures: Vec<Measure>) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Measured(measures)));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// What was measured a moment ago.
#[derive(Debug)]
struct Measured(Vec<Measure>);

impl Collector for Measured {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for family in self.0.chunk_by(|one, next| one.name == next.name) {
            let (name, help) = (family[0].name, family[0].help);
            let kind = match family[0].kind {
                MeasureKind::Counter => MetricType::Counter,
                MeasureKind::Gauge => MetricType::Gauge,
            };
            let mut encoder = encoder.encode_descriptor(name, help, None, kind)?;
            for measure in family {
                write(measure, encoder.encode_family(&measure.of.as_slice())?)?;
            }
        }
        Ok(())
    }
}

fn write(measure: &Measure, encoder: MetricEncoder<'_>) -> fmt::Result {
    match measure.kind {
        MeasureKind::Counter => ConstCounter::new(measure.value).encode(encoder),
        MeasureKind::Gauge => ConstGauge::new(measure.value).encode(encoder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_of_one_name_are_one_family() {
        let measures = vec![
            Measure::counter("swept", "What came of it", 3).of("outcome", "stuck"),
            Measure::counter("swept", "What came of it", 4).of("outcome", "failed"),
            Measure::gauge("due_lag_seconds", "How late", 0.25),
        ];
        let expected = "# HELP consign_swept_total What came of it\n\
                        # TYPE consign_swept_total counter\n\
                        consign_swept_total{outcome=\"stuck\"} 3.0\n\
                        consign_swept_total{outcome=\"failed\"} 4.0\n\
                        # HELP consign_due_lag_seconds How late\n\
                        # TYPE consign_due_lag_seconds gauge\n\
                        consign_due_lag_seconds 0.25\n";
        assert_eq!(text(measures).unwrap(), expected);
    }
}
