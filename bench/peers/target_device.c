/* PCI configuration space and the controller's registers. */
#define _GNU_SOURCE
#include "target.h"

#include "common.h"

#include <linux/pci_regs.h>
#include <string.h>

enum { MSIX_CAPABILITY = 0x40, EXPRESS_CAPABILITY = 0x50 };

static void put(uint8_t *at, uint64_t value, size_t size)
{
    memcpy(at, &value, size);
}

static void put_bar64(struct target *target, uint32_t offset, uint32_t size)
{
    put(target->config + offset, PCI_BASE_ADDRESS_MEM_TYPE_64, 4);
    put(target->config_writable + offset, ~(uint64_t)(size - 1), 8);
}

void target_init_config(struct target *target)
{
    uint8_t *config = target->config;
    uint8_t *writable = target->config_writable;
    memset(config, 0, CONFIG_SIZE);
    memset(writable, 0, CONFIG_SIZE);
    put(config + PCI_VENDOR_ID, 0x1b36, 2); /* Red Hat: 1b36:0010 is theirs for an NVMe controller in software */
    put(config + PCI_DEVICE_ID, 0x0010, 2);
    put(config + PCI_STATUS, PCI_STATUS_CAP_LIST, 2);
    put(config + PCI_CLASS_REVISION, 0x01080201, 4); /* NVM Express I/O controller, revision 1 */
    put(config + PCI_SUBSYSTEM_VENDOR_ID, 0x1b36, 2);
    put(config + PCI_SUBSYSTEM_ID, 0x1100, 2);
    config[PCI_CAPABILITY_LIST] = MSIX_CAPABILITY;
    put_bar64(target, PCI_BASE_ADDRESS_0, BAR0_SIZE);
    put_bar64(target, PCI_BASE_ADDRESS_4, BAR4_SIZE);
    put(writable + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE, 2);
    writable[PCI_CACHE_LINE_SIZE] = 0xff;
    writable[PCI_INTERRUPT_LINE] = 0xff;

    uint8_t *msix = config + MSIX_CAPABILITY;
    msix[PCI_CAP_LIST_ID] = PCI_CAP_ID_MSIX;
    msix[PCI_CAP_LIST_NEXT] = EXPRESS_CAPABILITY;
    put(msix + PCI_MSIX_FLAGS, TARGET_VECTORS - 1, 2);
    put(msix + PCI_MSIX_TABLE, 4, 4); /* BAR 4 */
    put(msix + PCI_MSIX_PBA, MSIX_PENDING_OFFSET | 4, 4);
    put(writable + MSIX_CAPABILITY + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_MASKALL | PCI_MSIX_FLAGS_ENABLE, 2);

    uint8_t *express = config + EXPRESS_CAPABILITY;
    express[PCI_CAP_LIST_ID] = PCI_CAP_ID_EXP;
    put(express + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4, 2);
    put(express + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR, 4);
    put(writable + EXPRESS_CAPABILITY + PCI_EXP_DEVCTL, 0x7fff, 2);
    memset(target->bar4, 0, BAR4_SIZE);
    for (uint32_t vector = 0; vector < TARGET_VECTORS; vector++) {
        target->bar4[vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
    }
}

static void update_running(struct target *target)
{
    bool master = target->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
    target->running = master && (target->registers.csts & NVME_CSTS_RDY) && !(target->registers.csts & NVME_CSTS_CFS);
}

void target_config_write(struct target *target, uint64_t offset, const uint8_t *data, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        uint8_t mask = target->config_writable[offset + i];
        target->config[offset + i] = (uint8_t)((target->config[offset + i] & ~mask) | (data[i] & mask));
    }
    uint8_t *control = target->config + EXPRESS_CAPABILITY + PCI_EXP_DEVCTL;
    if (offset <= EXPRESS_CAPABILITY + PCI_EXP_DEVCTL + 1 && offset + size > EXPRESS_CAPABILITY + PCI_EXP_DEVCTL + 1 &&
        (data[EXPRESS_CAPABILITY + PCI_EXP_DEVCTL + 1 - offset] & 0x80)) {
        control[1] &= 0x7f; /* initiate function level reset: reads as 0 */
        target_reset(target);
        target_init_config(target);
    }
    update_running(target);
}

void target_list_active_queues(struct target *target)
{
    target->active_count = 0;
    for (uint16_t id = 0; id < TARGET_QUEUES; id++) {
        if (target->sq[id].entries != NULL) {
            target->active[target->active_count++] = id;
        }
    }
}

/* Controller reset, 7.3.2: all queues go, the admin queue's attributes stay. */
void target_reset(struct target *target)
{
    memset(target->sq, 0, sizeof target->sq);
    memset(target->cq, 0, sizeof target->cq);
    memset(target->doorbells, 0, DOORBELL_PAGE_SIZE);
    memset(target->features, 0, sizeof target->features);
    target->held_event_count = 0;
    target->registers.cc = 0;
    target->registers.csts = 0;
    target->registers.interrupt_mask = 0;
    target_list_active_queues(target);
    update_running(target);
}

void target_fatal(struct target *target)
{
    memset(target->sq, 0, sizeof target->sq);
    memset(target->cq, 0, sizeof target->cq);
    target->registers.csts |= NVME_CSTS_CFS;
    target_list_active_queues(target);
    update_running(target);
}

static void enable(struct target *target)
{
    struct registers *r = &target->registers;
    uint32_t sq_size = (r->aqa & 0xfff) + 1;
    uint32_t cq_size = (r->aqa >> 16 & 0xfff) + 1;
    const uint8_t *sq = target_translate(target, r->asq, sq_size * sizeof(struct nvme_command), VFIO_USER_DMA_READABLE);
    uint8_t *cq = target_translate(target, r->acq, cq_size * sizeof(struct nvme_completion), VFIO_USER_DMA_WRITEABLE);
    if (sq == NULL || cq == NULL || sq_size < 2 || cq_size < 2 || r->asq % NVME_PAGE != 0 || r->acq % NVME_PAGE != 0 ||
        NVME_CC_MPS(r->cc) != 0 || NVME_CC_CSS(r->cc) != 0) {
        target_fatal(target);
        return;
    }
    uint32_t stride = 4u << NVME_CAP_DSTRD(target->cap);
    target->cq[0] = (struct completion_queue){
        .entries = (struct nvme_completion *)cq, .doorbell = (const uint32_t *)(target->doorbells + stride),
        .iova = r->acq, .size = cq_size, .phase = 1, .users = 1, .interrupts = true};
    target->sq[0] = (struct submission_queue){
        .entries = (const struct nvme_command *)sq, .doorbell = (const uint32_t *)target->doorbells,
        .iova = r->asq, .size = sq_size, .completions = &target->cq[0]};
    r->csts = NVME_CSTS_RDY;
    target_list_active_queues(target);
    update_running(target);
}

static void write_cc(struct target *target, uint32_t value)
{
    uint32_t before = target->registers.cc;
    if ((before & NVME_CC_EN) && !(value & NVME_CC_EN)) {
        target_reset(target);
        target->registers.cc = value;
        return;
    }
    target->registers.cc = value;
    if (!(before & NVME_CC_EN) && (value & NVME_CC_EN)) {
        enable(target);
    }
    if (NVME_CC_SHN(value) != 0 && NVME_CC_SHN(before) == 0) {
        target->registers.csts |= NVME_CSTS_SHST_COMPLETE;
    }
}

/* All registers as they read, in one block: any width and alignment falls out of it. */
void target_register_read(struct target *target, uint64_t offset, uint8_t *data, uint32_t size)
{
    struct registers *r = &target->registers;
    uint8_t block[0x40] = {0};
    put(block + NVME_CAP, target->cap, 8);
    put(block + NVME_VS, 0x00010400, 4);
    put(block + NVME_INTMS, r->interrupt_mask, 4);
    put(block + NVME_INTMC, r->interrupt_mask, 4);
    put(block + NVME_CC, r->cc, 4);
    put(block + NVME_CSTS, r->csts, 4);
    put(block + NVME_AQA, r->aqa, 4);
    put(block + NVME_ASQ, r->asq, 8);
    put(block + NVME_ACQ, r->acq, 8);
    for (uint32_t i = 0; i < size; i++) {
        data[i] = offset + i < sizeof block ? block[offset + i] : 0;
    }
}

static void write_word(struct target *target, uint64_t offset, uint32_t value)
{
    struct registers *r = &target->registers;
    const uint64_t low = 0xffffffffu;
    if (offset >= NVME_DOORBELLS) {
        __atomic_store_n((uint32_t *)(target->doorbells + (offset - NVME_DOORBELLS)), value, __ATOMIC_RELEASE);
        return;
    }
    switch (offset) {
    case NVME_INTMS: r->interrupt_mask |= value; break;
    case NVME_INTMC: r->interrupt_mask &= ~value; break;
    case NVME_CC: write_cc(target, value); break;
    case NVME_AQA: r->aqa = value; break;
    case NVME_ASQ: r->asq = (r->asq & ~low) | value; break;
    case NVME_ASQ + 4: r->asq = (r->asq & low) | (uint64_t)value << 32; break;
    case NVME_ACQ: r->acq = (r->acq & ~low) | value; break;
    case NVME_ACQ + 4: r->acq = (r->acq & low) | (uint64_t)value << 32; break;
    default: break; /* read-only or reserved */
    }
}

/* 3.1: registers are written in their own width, or a 64-bit one in two halves; other writes have no effect. */
void target_register_write(struct target *target, uint64_t offset, const uint8_t *data, uint32_t size)
{
    if ((size != 4 && size != 8) || offset % 4 != 0) {
        return;
    }
    for (uint32_t i = 0; i < size; i += 4) {
        uint32_t value;
        memcpy(&value, data + i, 4);
        write_word(target, offset + i, value);
    }
}
