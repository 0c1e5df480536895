//! Reading a part of a payload without the rest.

use std::ops::Range;
use std::sync::Arc;

use cairn_primitives::da::{ELEMENT_PAYLOAD_BYTES, Header, OperatorIndex, RowIndex, SlotTable};
use futures::StreamExt;
use futures::stream;

use crate::error::ClientError;
use crate::matrix::Commitments;
use crate::registry::Quorum;
use crate::retrieval::RowAnswer;
use crate::retrieve::Retriever;

/// Rows asked for at a time.
const ROWS_AT_ONCE: usize = 16;

impl Retriever {
    /// Bytes `range` of the payload of a header. Only the rows that hold them are asked for, each at
    /// its holders; where one of them does not come, the whole payload is retrieved. Every row is
    /// checked either way. That the rest of the matrix holds a payload is not.
    ///
    /// # Errors
    /// [`ClientError::Range`] beyond the payload, and those of [`Self::retrieve`].
    pub async fn read(
        &self,
        quorum: &Quorum,
        header: &Header,
        range: Range<u32>,
    ) -> Result<Vec<u8>, ClientError> {
        let length = header.payload_length.0;
        if range.start > range.end || range.end > length {
            return Err(ClientError::Range { range, length });
        }
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let commitments = Arc::new(self.commitments(quorum, header).await?);
        let bytes = range.start as usize..range.end as usize;
        if let Some(found) = self.read_rows(quorum, header, &commitments, &bytes).await? {
            return Ok(found);
        }
        let payload = self.retrieve_with(quorum, header, &commitments).await?;
        let found = payload.get(bytes).map(<[u8]>::to_vec);
        found.ok_or(ClientError::Range { range, length })
    }

    /// The bytes from the rows that hold them; `None` if a row is missing or wrong.
    async fn read_rows(
        &self,
        quorum: &Quorum,
        header: &Header,
        commitments: &Arc<Commitments>,
        bytes: &Range<usize>,
    ) -> Result<Option<Vec<u8>>, ClientError> {
        let row_payload = usize::from(header.shape.columns()) * ELEMENT_PAYLOAD_BYTES;
        let first = bytes.start / row_payload;
        let wanted = first..=(bytes.end - 1) / row_payload;
        let table = quorum.snapshot.slot_table(header);
        let mut asks = Vec::new();
        for row in wanted {
            let row = RowIndex(u16::try_from(row).unwrap_or(u16::MAX));
            asks.push(self.row_from_holders(quorum, header, &table, row));
        }
        let rows: Vec<_> = stream::iter(asks).buffered(ROWS_AT_ONCE).collect().await;
        let Some(rows) = rows.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
        let commitments = commitments.clone();
        let checking = tokio::task::spawn_blocking(move || {
            let borrowed: Vec<_> = rows.iter().map(|(row, bytes)| (*row, &bytes[..])).collect();
            commitments.verify(&borrowed).is_ok().then_some(rows)
        });
        let Some(rows) = checking.await.map_err(|_| ClientError::Stopped)? else {
            return Ok(None);
        };
        let sent =
            rows.iter().flat_map(|(row, bytes)| header.shape.pack_row(*row, bytes).into_owned());
        let skipped = bytes.start - first * row_payload;
        Ok(Some(sent.skip(skipped).take(bytes.len()).collect()))
    }

    async fn row_from_holders(
        &self,
        quorum: &Quorum,
        header: &Header,
        table: &SlotTable,
        row: RowIndex,
    ) -> Option<(RowIndex, Vec<u8>)> {
        let operators = (0..quorum.endpoints.len()).map(|at| OperatorIndex(at as u16));
        for operator in operators.filter(|operator| table.rows_of(*operator).contains(&row)) {
            if let RowAnswer::Row(bytes) = self.ask(quorum, header, operator, row).await {
                return Some((row, bytes));
            }
        }
        None
    }
}
