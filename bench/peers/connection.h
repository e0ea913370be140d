/* The vfio-user half of the client's controller. */
#ifndef PEERS_CONNECTION_H
#define PEERS_CONNECTION_H

#include "controller.h"

/* Connects, maps the doorbells and the DMA memory, and lets the device decode addresses and master the bus. */
void connection_open(struct controller *controller, const char *path, uint64_t dma_size);

void connection_region_read(struct controller *controller, uint32_t region, uint64_t offset, void *data, uint32_t size);
void connection_region_write(struct controller *controller, uint32_t region, uint64_t offset, const void *data,
                             uint32_t size);

/* An eventfd that the target signals for one MSI-X vector; -1 when it has no such vector. */
int connection_open_vector(struct controller *controller, uint32_t vector);

#endif
